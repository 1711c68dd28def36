//! `baton secret list`: the secrets of a host, without their values.

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// The arguments of `baton secret list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let secrets = limited(usize::MAX, async |page| client.secrets(&page).await).await?;
        if self.output == Output::Json {
            return print_json(&secrets);
        }
        let mut table = Table::new(["name", "hosts", "members", "set at"]);
        for secret in secrets {
            let members = secret.members.unwrap_or_default();
            let members = members
                .into_iter()
                .map(|member| match secret.public.contains(&member) {
                    true => format!("{member} (public)"),
                    false => member,
                });
            table.row([
                secret.name,
                secret.hosts.join(" "),
                members.collect::<Vec<_>>().join(" "),
                secret.updated_at,
            ]);
        }
        print(table)
    }
}
