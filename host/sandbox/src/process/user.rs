//! Whom a process runs as.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The list of users of the machine.
const PASSWD: &str = "/etc/passwd";

/// A user and a group, by number. Never the superuser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct User {
    uid: u32,
    gid: u32,
}

/// Why a text names no user that processes may run as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It is no name of a user and no pair of numbers.
    #[error("there is no user `{0}`: write the name of one in /etc/passwd, or UID:GID")]
    Unknown(String),
    /// It is the superuser, or in its group.
    #[error("processes do not run as root or in its group: name another user, such as `nobody`")]
    Superuser,
}

impl User {
    /// The user `nobody` in the group `nogroup`, as Linux numbers them.
    pub const NOBODY: Self = Self {
        uid: 65_534,
        gid: 65_534,
    };

    /// A user by numbers.
    ///
    /// # Errors
    ///
    /// The superuser and its group are refused.
    pub fn new(uid: u32, gid: u32) -> Result<Self, UserError> {
        match (uid, gid) {
            (0, _) | (_, 0) => Err(UserError::Superuser),
            _ => Ok(Self { uid, gid }),
        }
    }

    /// The number of the user.
    #[must_use]
    pub fn uid(self) -> u32 {
        self.uid
    }

    /// The number of the group.
    #[must_use]
    pub fn gid(self) -> u32 {
        self.gid
    }
}

impl FromStr for User {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let numbers = text
            .split_once(':')
            .and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
        let (uid, gid) = match numbers {
            Some(numbers) => numbers,
            None => std::fs::read_to_string(PASSWD)
                .ok()
                .and_then(|users| find(&users, text))
                .ok_or_else(|| UserError::Unknown(text.to_owned()))?,
        };
        Self::new(uid, gid)
    }
}

impl TryFrom<String> for User {
    type Error = UserError;

    fn try_from(text: String) -> Result<Self, UserError> {
        text.parse()
    }
}

impl From<User> for String {
    fn from(user: User) -> Self {
        format!("{}:{}", user.uid, user.gid)
    }
}

/// The numbers of a user in the lines of `/etc/passwd` (passwd(5)).
fn find(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        is_it.then(|| Some((uid.parse().ok()?, gid.parse().ok()?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_names_or_numbers() {
        let users = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533::/:/usr/sbin/nologin\n";
        assert_eq!(find(users, "nobody"), Some((65_534, 65_533)));
        assert_eq!(find(users, "nobod"), None);
        assert_eq!("1000:1001".parse(), User::new(1000, 1001));
        assert_eq!(
            "no such user".parse::<User>(),
            Err(UserError::Unknown("no such user".to_owned()))
        );
    }

    #[test]
    fn nothing_runs_as_root() {
        for text in ["root", "0:0", "0:1000", "1000:0"] {
            assert_eq!(text.parse::<User>(), Err(UserError::Superuser), "{text}");
        }
    }
}
