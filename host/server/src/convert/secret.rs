use baton_api::secret::{Secret, SecretValue};
use baton_engine::{SecretContent, SecretView};

use super::time;

pub(crate) fn secret(from: SecretView) -> Secret {
    Secret {
        name: from.name,
        hosts: from.hosts,
        members: from.members,
        public: from.public,
        created_at: time(from.created_at),
        updated_at: time(from.updated_at),
    }
}

pub(crate) fn secret_content(from: SecretValue) -> SecretContent {
    match from {
        SecretValue::Text(text) => SecretContent::Text(text),
        SecretValue::Members(members) => SecretContent::Members(members),
    }
}
