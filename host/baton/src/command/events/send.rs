//! `baton events send`: an event, put together from arguments, or whole.

use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton events send`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The whole event, or a list of them: JSON, or @FILE
    #[arg(value_name = "EVENT", required_unless_present = "kind", conflicts_with_all = ["kind", "source", "id", "subject", "data", "attribute"])]
    event: Option<String>,

    /// What kind of event it is, such as com.example.order.placed
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Where it is from
    #[arg(long, value_name = "URI", default_value = "/baton/cli")]
    source: String,

    /// What tells it from others of its source; random without it
    #[arg(long)]
    id: Option<String>,

    /// What it is about
    #[arg(long)]
    subject: Option<String>,

    /// Its data: JSON, or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,

    /// Another attribute; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = input::name_value)]
    attribute: Vec<(String, String)>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let events = match &self.event {
            Some(text) => match input::json("EVENT", text)? {
                Value::Array(events) => events,
                event => vec![event],
            },
            None => vec![self.put_together()?],
        };
        let sent = client.send_events(&events).await?;
        if self.output == Output::Json {
            return print_json(&sent);
        }
        let lines = sent.events.iter().map(|event| {
            let what = match event.duplicate {
                true => "was there before, as event",
                false => "is event",
            };
            format!("{} of {} {what} {}", event.id, event.source, event.position)
        });
        print(lines.collect::<Vec<_>>().join("\n"))
    }

    fn put_together(&self) -> Result<Value, Failure> {
        let id = || format!("{:032x}", rand::random::<u128>());
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        put("specversion", Value::from("1.0"));
        put("id", Value::from(self.id.clone().unwrap_or_else(id)));
        put("source", Value::from(self.source.as_str()));
        put("type", Value::from(self.kind.as_deref()));
        for (name, value) in &self.attribute {
            put(name, Value::from(value.as_str()));
        }
        if let Some(subject) = &self.subject {
            put("subject", Value::from(subject.as_str()));
        }
        if let Some(data) = &self.data {
            put("data", input::json("--data", data)?);
        }
        Ok(Value::Object(event))
    }
}
