//! How to reach a database as its administrator, read from the Secret that the tenant names.

use std::collections::BTreeMap;

use docket_contract::SslMode;
use k8s_openapi::ByteString;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::text_form::TextForm;

/// A host has a name of DNS, or a folder with a socket.
const HOST: TextForm = TextForm::line(253);
/// Twice what Postgres keeps of a name: proxies route by what stands behind it.
const NAME: TextForm = TextForm::line(126);
/// Tokens in the place of passwords have some thousand.
const PASSWORD: TextForm = TextForm::line(8 * 1024);
/// A port, or a mode.
const WORD: TextForm = TextForm::line(16);

/// A Postgres server, a database in it, and a user that may create roles and schemas there.
#[derive(Clone, Debug)]
pub struct AdminConnection {
    /// What the API server may know: everything but the credentials.
    pub database: docket_contract::Database,
    /// Name of the administrator.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

impl AdminConnection {
    /// Reads the keys `host`, `port`, `dbname`, `username`, `password` and `sslmode` of a Secret.
    ///
    /// # Errors
    /// A sentence that names the key that is missing or cannot be used.
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Self, String> {
        let port = match WORD.optional(data, "port")? {
            None => 5432,
            Some(port) => port
                .parse()
                .map_err(|_| format!("its port {port:?} is not a TCP port"))?,
        };
        let ssl_mode = match WORD.optional(data, "sslmode")? {
            None => SslMode::default(),
            Some(mode) => serde_json::from_value(mode.into()).map_err(|_| {
                format!("its sslmode {mode:?} is none of disable, prefer, require, verify-ca, verify-full")
            })?,
        };
        Ok(Self {
            database: docket_contract::Database {
                host: HOST.required(data, "host")?.to_owned(),
                port,
                dbname: NAME.required(data, "dbname")?.to_owned(),
                ssl_mode,
            },
            username: NAME.required(data, "username")?.to_owned(),
            password: PASSWORD.required(data, "password")?.into(),
        })
    }

    /// The options of a connection.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .host(&self.database.host)
            .port(self.database.port)
            .database(&self.database.dbname)
            .username(&self.username)
            .password(self.password.expose_secret())
            .ssl_mode(match self.database.ssl_mode {
                SslMode::Disable => PgSslMode::Disable,
                SslMode::Prefer => PgSslMode::Prefer,
                SslMode::Require => PgSslMode::Require,
                SslMode::VerifyCa => PgSslMode::VerifyCa,
                SslMode::VerifyFull => PgSslMode::VerifyFull,
            })
            .application_name(docket_crds::names::OPERATOR)
    }

    /// A text that differs between connections that differ; it holds the password.
    #[must_use]
    pub(crate) fn key(&self) -> String {
        let Self {
            database,
            username,
            password,
        } = self;
        format!("{database:?}\n{username}\n{}", password.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(pairs: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), ByteString(v.as_bytes().to_vec())))
            .collect()
    }

    const WHOLE: [(&str, &str); 4] = [
        ("host", "db"),
        ("dbname", "docket"),
        ("username", "admin"),
        ("password", "secret\n"),
    ];

    #[test]
    fn port_and_sslmode_have_defaults_and_a_trailing_newline_is_no_part_of_a_password() {
        let connection = AdminConnection::from_secret(&secret(&WHOLE)).expect("complete");
        assert_eq!(connection.database.port, 5432);
        assert_eq!(connection.database.ssl_mode, SslMode::Prefer);
        assert_eq!(connection.password.expose_secret(), "secret");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (change, sentence) in [
            (("host", ""), "it has no key \"host\", or an empty one"),
            (("port", "x"), "its port \"x\" is not a TCP port"),
            (
                ("sslmode", "maybe"),
                "its sslmode \"maybe\" is none of disable, prefer, require, verify-ca, verify-full",
            ),
        ] {
            let mut data = secret(&WHOLE);
            data.extend(secret(&[change]));
            assert_eq!(
                AdminConnection::from_secret(&data).expect_err("refused"),
                sentence
            );
        }
    }

    #[test]
    fn the_password_never_shows_in_debug_output() {
        let connection = AdminConnection::from_secret(&secret(&WHOLE)).expect("complete");
        assert!(!format!("{connection:?}").contains("secret\""));
    }
}
