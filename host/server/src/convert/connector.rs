use baton_api::connector::{
    CallResult, Connector, ConnectorSummary, Function, Grants, Import, Limits, LogLine, Quantity,
    Refusal,
};
use baton_engine::{CallView, ConnectorView, FunctionView, GrantSpec, LimitsSpec};
use serde_json::{Number, Value};
use std::sync::Arc;

use super::run::error;
use super::time;

pub(crate) fn connector(from: ConnectorView) -> Connector {
    let summary = ConnectorSummary {
        bundled: from.is_bundled(),
        name: from.reference.name,
        package: from.package,
        version: from.reference.version,
        digest: from.reference.digest.to_string(),
        installed_at: from.installed_at.map(time),
    };
    let imports = from.imports.into_iter().map(|import| Import {
        interface: import.name,
        capability: import.capability,
    });
    Connector {
        summary,
        functions: from.functions.into_iter().map(function).collect(),
        imports: imports.collect(),
        grants: grants(from.grants),
    }
}

fn function(from: FunctionView) -> Function {
    let (input, output, unavailable) = match from.schemas {
        Ok((input, output)) => (input, output, None),
        Err(reason) => (Value::Null, Value::Null, Some(reason)),
    };
    Function {
        name: from.name,
        interface: from.interface,
        input,
        output,
        docs: from.docs,
        unavailable,
    }
}

fn grants(from: GrantSpec) -> Grants {
    let limits = Limits {
        memory: from.limits.memory.map(quantity),
        time: from.limits.time.map(quantity),
        cpu: from.limits.cpu.map(quantity),
        concurrency: from.limits.concurrency,
        response: from.limits.response.map(quantity),
    };
    Grants {
        egress: from.egress,
        config: from.config,
        tcp: from.tcp,
        secrets: from.secrets,
        reveal: from.reveal,
        limits,
    }
}

pub(crate) fn grant_spec(from: Grants) -> GrantSpec {
    let limits = LimitsSpec {
        memory: from.limits.memory.map(quantity_spec),
        time: from.limits.time.map(quantity_spec),
        cpu: from.limits.cpu.map(quantity_spec),
        concurrency: from.limits.concurrency,
        response: from.limits.response.map(quantity_spec),
    };
    GrantSpec {
        egress: from.egress,
        config: from.config,
        tcp: from.tcp,
        secrets: from.secrets,
        reveal: from.reveal,
        limits,
    }
}

/// A number is written without a fraction where it has none, as it came in.
fn quantity(from: baton_engine::Quantity) -> Quantity {
    match from {
        baton_engine::Quantity::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Quantity::Number(Number::from(number as i64))
        }
        baton_engine::Quantity::Number(number) => Number::from_f64(number)
            .map_or_else(|| Quantity::Text(number.to_string()), Quantity::Number),
        baton_engine::Quantity::Text(text) => Quantity::Text(text),
    }
}

fn quantity_spec(from: Quantity) -> baton_engine::Quantity {
    match from {
        Quantity::Number(number) => {
            baton_engine::Quantity::Number(number.as_f64().unwrap_or(f64::NAN))
        }
        Quantity::Text(text) => baton_engine::Quantity::Text(text),
    }
}

pub(crate) fn call_result(from: CallView) -> CallResult {
    let (output, failed) = match from.result {
        Ok(output) => (Arc::unwrap_or_clone(output), None),
        Err(failed) => (Value::Null, Some(error(failed))),
    };
    let log = from.log.into_iter().map(|line| LogLine {
        level: level(line.level).to_owned(),
        context: line.context,
        message: line.message,
    });
    let refusals = from.refusals.into_iter().map(|refusal| Refusal {
        request: refusal.request,
        reason: refusal.reason,
        rule: refusal.rule,
    });
    CallResult {
        output,
        error: failed,
        log: log.collect(),
        refusals: refusals.collect(),
    }
}

fn level(from: baton_sandbox::LogLevel) -> &'static str {
    use baton_sandbox::LogLevel;
    match from {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
        LogLevel::Critical => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_come_out_as_they_went_in() {
        let text = r#"{"egress":["https://*.example.org"],"config":{"base-url":"https://a"},"tcp":["a.example:4222"],"secrets":["x"],"reveal":["y"],"limits":{"memory":"64MiB","time":30,"cpu":2.5,"concurrency":3}}"#;
        let given: Grants = serde_json::from_str(text).unwrap();
        let back = grants(grant_spec(given.clone()));
        assert_eq!(back, given);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}
