//! `[[sink]]` of `baton.toml`: where events are delivered to over HTTP, in the structured content mode of CloudEvents.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use baton_api::client;
use baton_engine::{Deliver, Delivery, Engine, Sink, TenantId};
use baton_workflow::CloudEvent;
use serde::Deserialize;
use url::Url;

use crate::failure::Failure;

/// How many seconds a sink may take for one event, where nothing else is said: as long as proxies commonly wait.
const TIMEOUT_DEFAULT: u64 = 30;

/// How many seconds may be said: what takes longer holds up all that is behind it.
const TIMEOUT_MAX: u64 = 300;

/// How long the name of a sink may be.
const NAME_LENGTH_MAX: usize = 64;

/// How many sinks there may be: each reads its tenant's log by itself.
const SINKS_MAX: usize = 64;

/// The sinks of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<HttpSink>")]
pub(crate) struct Sinks(Vec<HttpSink>);

/// A sink, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
struct HttpSink {
    sink: Sink,
    url: Url,
    headers: Headers,
    timeout: Duration,
}

/// What is sent with each event. It may let the host in somewhere, and so is shown nowhere.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
struct Headers(BTreeMap<String, String>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A `[[sink]]` of `baton.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: String,
    url: String,
    tenant: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    headers: Headers,
    timeout_seconds: Option<u64>,
}

impl Sinks {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses sinks of tenants that nobody can be: they would wait for ever, mostly for a name that is mistyped.
    ///
    /// # Errors
    ///
    /// A sink is of a tenant that is not among `tenants`.
    pub(crate) fn check<'a>(
        &self,
        tenants: impl Iterator<Item = &'a TenantId> + Clone,
    ) -> Result<(), Failure> {
        for HttpSink { sink, .. } in &self.0 {
            if !tenants.clone().any(|tenant| *tenant == sink.tenant) {
                let (name, tenant) = (&sink.name, &sink.tenant);
                let what =
                    format!("the sink `{name}` is of the tenant `{tenant}`, which no token is of");
                return Err(Failure::invalid(what)
                    .help("name another `tenant`, or make a token for it with `baton token new`"));
            }
        }
        Ok(())
    }

    /// Has the engine deliver events to the sinks.
    ///
    /// # Errors
    ///
    /// One of them is reached by https, and this machine has no root certificates.
    pub(crate) fn start(self, engine: &Engine) -> Result<(), Failure> {
        for HttpSink {
            sink,
            url,
            headers,
            timeout,
        } in self.0
        {
            let client = client::http(url.scheme() == "https")
                .map_err(|error| Failure::new("cannot deliver events").because(&error))?;
            let deliver = HttpDelivery {
                client,
                url,
                headers,
                timeout,
            };
            engine.add_sink(sink, Arc::new(deliver));
        }
        Ok(())
    }
}

impl TryFrom<Vec<HttpSink>> for Sinks {
    type Error = String;

    fn try_from(sinks: Vec<HttpSink>) -> Result<Self, String> {
        if sinks.len() > SINKS_MAX {
            return Err(format!(
                "there are {} sinks; there may be {SINKS_MAX}",
                sinks.len()
            ));
        }
        let mut names = BTreeSet::new();
        for HttpSink { sink, .. } in &sinks {
            if !names.insert((&sink.tenant, &sink.name)) {
                let (name, tenant) = (&sink.name, &sink.tenant);
                return Err(format!(
                    "two sinks of the tenant `{tenant}` are named `{name}`, and the position in the log is kept by name"
                ));
            }
        }
        Ok(Self(sinks))
    }
}

impl TryFrom<Table> for HttpSink {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let Table {
            name,
            url,
            tenant,
            types,
            headers,
            timeout_seconds,
        } = table;
        if !(1..=NAME_LENGTH_MAX).contains(&name.len()) || name.chars().any(char::is_control) {
            return Err(format!(
                "a sink's `name` has 1 to {NAME_LENGTH_MAX} characters"
            ));
        }
        let parsed = Url::parse(&url).ok();
        let url = parsed
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| format!("the `url` of the sink `{name}` must start with http:// or https:// and name a host"))?;
        for (header, value) in &headers.0 {
            let is_header = reqwest::header::HeaderName::try_from(header).is_ok()
                && reqwest::header::HeaderValue::try_from(value).is_ok();
            if !is_header {
                return Err(format!(
                    "`{header}` of the sink `{name}` is no header that can be sent"
                ));
            }
        }
        for kind in &types {
            let beginning = kind.strip_suffix('*').unwrap_or(kind);
            if kind.is_empty() || beginning.contains('*') {
                return Err(format!(
                    "`{kind}` in `types` of the sink `{name}` must be a type, or what types begin with and one `*` at the end"
                ));
            }
        }
        let timeout = timeout_seconds.unwrap_or(TIMEOUT_DEFAULT);
        if !(1..=TIMEOUT_MAX).contains(&timeout) {
            return Err(format!(
                "`timeout-seconds` of the sink `{name}` is 1 to {TIMEOUT_MAX}"
            ));
        }
        let tenant = match tenant {
            Some(tenant) => TenantId::new(&tenant).map_err(|error| error.to_string())?,
            None => TenantId::default(),
        };
        Ok(Self {
            sink: Sink {
                name,
                tenant,
                types,
            },
            url,
            headers,
            timeout: Duration::from_secs(timeout),
        })
    }
}

struct HttpDelivery {
    client: reqwest::Client,
    url: Url,
    headers: Headers,
    timeout: Duration,
}

impl Deliver for HttpDelivery {
    fn deliver(&self, event: CloudEvent) -> Pin<Box<dyn Future<Output = Delivery> + Send>> {
        let mut request = self
            .client
            .post(self.url.clone())
            .timeout(self.timeout)
            .header("content-type", baton_api::event::STRUCTURED)
            .body(event.envelope().to_string());
        for (name, value) in &self.headers.0 {
            request = request.header(name, value);
        }
        Box::pin(async move {
            match request.send().await {
                Ok(answer) => judge(answer.status().as_u16()),
                Err(error) => Delivery::Failed(error.without_url().to_string()),
            }
        })
    }
}

/// What a status says of a delivery: overload and faults of the other side pass, a refusal does not.
fn judge(status: u16) -> Delivery {
    let said = format!("it answered {status}");
    match status {
        200..300 => Delivery::Taken,
        408 | 425 | 429 | 500.. => Delivery::Failed(said),
        _ => Delivery::Refused(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert_eq!(judge(202), Delivery::Taken);
        for status in [408, 425, 429, 500, 503] {
            assert!(matches!(judge(status), Delivery::Failed(_)), "{status}");
        }
        for status in [301, 400, 401, 404, 410, 422] {
            assert!(matches!(judge(status), Delivery::Refused(_)), "{status}");
        }
    }

    #[test]
    fn what_is_no_sink_is_told() {
        let read = |text: &str| {
            toml::from_str::<HttpSink>(text).map_err(|error| error.message().to_owned())
        };
        let sink =
            read("name = \"a\"\nurl = \"https://example.org/in\"\ntypes = [\"com.example.*\"]")
                .expect("a sink");
        assert_eq!(sink.sink.tenant, TenantId::default());
        for (text, told) in [
            ("name = \"\"\nurl = \"http://a\"", "1 to 64"),
            ("name = \"a\"\nurl = \"ftp://a\"", "http://"),
            (
                "name = \"a\"\nurl = \"http://a\"\nheaders = { \"a b\" = \"c\" }",
                "`a b`",
            ),
            (
                "name = \"a\"\nurl = \"http://a\"\ntenant = \"A B\"",
                "tenant",
            ),
            ("name = \"a\"\nurl = \"http://a\"\nkind = 1", "kind"),
            (
                "name = \"a\"\nurl = \"http://a\"\ntypes = [\"*.b\"]",
                "`*.b`",
            ),
            (
                "name = \"a\"\nurl = \"http://a\"\ntypes = [\"\"]",
                "must be a type",
            ),
            ("name = \"a\"", "url"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(told), "{error}");
        }
    }

    fn sinks(text: &str) -> Result<Sinks, String> {
        #[derive(Deserialize)]
        struct File {
            sink: Sinks,
        }
        let file = toml::from_str::<File>(text);
        file.map(|it| it.sink)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn two_sinks_of_a_tenant_have_names_of_their_own() {
        let sink = |tenant: &str| {
            format!("[[sink]]\nname = \"a\"\ntenant = \"{tenant}\"\nurl = \"http://a\"\n")
        };
        assert!(sinks(&(sink("one") + &sink("other"))).is_ok());
        let error = sinks(&(sink("one") + &sink("one"))).expect_err("twice");
        assert!(error.contains("two sinks of the tenant `one`"), "{error}");
    }

    #[test]
    fn a_sink_of_nobody_is_refused() {
        let sinks = sinks("[[sink]]\nname = \"a\"\ntenant = \"acmee\"\nurl = \"http://a\"")
            .expect("a sink");
        let acme = [TenantId::new("acme").expect("a tenant")];
        let failure = sinks.check(acme.iter()).expect_err("of nobody");
        assert!(format!("{failure:?}").contains("acmee"), "{failure:?}");
    }

    #[test]
    fn what_headers_say_is_not_shown() {
        let text = "[[sink]]\nname = \"a\"\nurl = \"http://a\"\nheaders = { authorization = \"Bearer hush\" }";
        let shown = format!("{:?}", sinks(text).expect("a sink"));
        assert!(
            shown.contains("authorization") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
