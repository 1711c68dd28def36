//! `baton connector list`: the connectors of a host.

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// How much of a digest a table shows: enough to tell two apart.
const DIGEST_LENGTH: usize = 12;

/// The arguments of `baton connector list`.
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
        let connectors = limited(usize::MAX, async |page| client.connectors(&page).await).await?;
        if self.output == Output::Json {
            return print_json(&connectors);
        }
        let mut table = Table::new(["name", "package", "version", "digest", "from"]);
        for connector in connectors {
            let digest = connector
                .digest
                .trim_start_matches("sha256:")
                .chars()
                .take(DIGEST_LENGTH)
                .collect();
            let from = if connector.bundled {
                "the host"
            } else {
                "the tenant"
            };
            table.row([
                connector.name,
                connector.package.unwrap_or_default(),
                connector.version.unwrap_or_default(),
                digest,
                from.to_owned(),
            ]);
        }
        print(table)
    }
}
