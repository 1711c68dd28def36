//! How a workflow is named on the command line: `namespace/name` and, where it matters, `@version`.

use std::str::FromStr;

/// A workflow or one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkflowName {
    /// `document.namespace`.
    pub(crate) namespace: String,
    /// `document.name`.
    pub(crate) name: String,
    /// `document.version`.
    pub(crate) version: Option<String>,
}

impl FromStr for WorkflowName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        match path.split_once('/') {
            Some((namespace, name))
                if !namespace.is_empty() && !name.is_empty() && version != Some("") =>
            {
                Ok(Self {
                    namespace: namespace.into(),
                    name: name.into(),
                    version: version.map(Into::into),
                })
            }
            _ => Err("expected NAMESPACE/NAME or NAMESPACE/NAME@VERSION".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_namespace_and_may_have_a_version() {
        let name: WorkflowName = "it/onboard@1.0.0".parse().expect("it is right");
        assert_eq!(
            (name.namespace.as_str(), name.name.as_str()),
            ("it", "onboard")
        );
        assert_eq!(name.version.as_deref(), Some("1.0.0"));
        assert_eq!(
            "it/onboard"
                .parse::<WorkflowName>()
                .expect("it is right")
                .version,
            None
        );
        for wrong in ["", "onboard", "/onboard", "it/", "it/onboard@", "@1"] {
            assert!(wrong.parse::<WorkflowName>().is_err(), "{wrong}");
        }
    }
}
