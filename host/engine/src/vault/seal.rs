//! Sealing: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) over a secret's value, with all else of its record as
//! associated data, so that no record can be moved to another tenant or name, or be given other hosts.

use baton_store::TenantId;
use baton_store::record::SecretRecord;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key::{MasterKey, MasterKeys};

/// Why a secret can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenFailed {
    /// It was sealed under a key that the host does not have.
    #[error("it was sealed under a master key that this host does not have")]
    OtherKey,
    /// Its record is not what was written.
    #[error("its record was changed, or belongs elsewhere")]
    Broken,
}

/// Seals `value` into a record, which is complete but for what is set here. `nonce` must be random.
pub(super) fn seal(
    record: &mut SecretRecord,
    value: &[u8],
    tenant: &TenantId,
    key: &MasterKey,
    nonce: [u8; 24],
) {
    record.key = key.id();
    record.nonce = nonce;
    let aad = associated(record, tenant);
    let payload = Payload {
        msg: value,
        aad: &aad,
    };
    record.sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a value is far shorter than what the cipher takes");
}

/// Opens a record.
pub(super) fn open(
    record: &SecretRecord,
    tenant: &TenantId,
    keys: &MasterKeys,
) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
    let key = keys.get(record.key).ok_or(OpenFailed::OtherKey)?;
    let payload = Payload {
        msg: &record.sealed,
        aad: &associated(record, tenant),
    };
    cipher(key)
        .decrypt(&XNonce::from(record.nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| OpenFailed::Broken)
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// What the seal is good for. Each part has its length in front, so that no two records have the same.
fn associated(record: &SecretRecord, tenant: &TenantId) -> Vec<u8> {
    let mut bytes = b"baton secret 1".to_vec();
    let mut put = |part: &str| {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    };
    put(tenant.as_str());
    put(&record.name);
    for list in [&record.hosts, &record.public] {
        put(&list.len().to_string());
        list.iter().for_each(|part| put(part));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> MasterKeys {
        MasterKeys::parse(&MasterKeys::text_of([byte; 32])).expect("a key")
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    fn sealed() -> SecretRecord {
        let mut record = SecretRecord {
            name: "smtp".into(),
            key: [0; 8],
            nonce: [0; 24],
            sealed: Vec::new(),
            hosts: vec!["a.example".into()],
            members: None,
            public: Vec::new(),
            created_at_ms: 1,
            updated_at_ms: 2,
        };
        seal(
            &mut record,
            b"hunter2",
            &tenant("a"),
            keys(1).first(),
            [3; 24],
        );
        record
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let record = sealed();
        assert!(!record.sealed.windows(7).any(|part| part == b"hunter2"));
        let opened = open(&record, &tenant("a"), &keys(1)).expect("opened");
        assert_eq!(opened.as_slice(), b"hunter2");
    }

    #[test]
    fn a_record_is_good_for_nothing_elsewhere() {
        let broken = |change: fn(&mut SecretRecord), owner: &str| {
            let mut record = sealed();
            change(&mut record);
            open(&record, &tenant(owner), &keys(1)).err()
        };
        assert_eq!(broken(|_| (), "b"), Some(OpenFailed::Broken));
        let changes: [fn(&mut SecretRecord); 5] = [
            |it| it.name = "other".into(),
            |it| it.hosts = vec!["evil.example".into()],
            |it| it.public = vec!["password".into()],
            |it| it.sealed[0] ^= 1,
            |it| it.nonce[0] ^= 1,
        ];
        for change in changes {
            assert_eq!(broken(change, "a"), Some(OpenFailed::Broken));
        }
        let other = open(&sealed(), &tenant("a"), &keys(2)).err();
        assert_eq!(other, Some(OpenFailed::OtherKey));
    }
}
