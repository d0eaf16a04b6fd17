//! The salt of a day: made by the first who needs it, the same for all servers, and forgotten in time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;

use crate::day;
use crate::visitor::{SALT, Salt};

pub(crate) const TABLE: &str = "page_view_salts";

// Who comes second does not change the row, but must read it: the update locks it and brings it.
const FIND: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "INSERT INTO page_view_salts AS it (day, salt) VALUES ($1, $2) \
          ON CONFLICT (day) DO UPDATE SET salt = it.salt RETURNING salt",
};

const FORGET: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM page_view_salts WHERE day < $1",
};

/// The salts that this server knows, by schema.
#[derive(Debug, Default)]
pub(crate) struct Salts(Mutex<HashMap<String, (Date, Salt)>>);

impl Salts {
    /// That of `client` for `day`. Of an earlier day nothing is kept in memory.
    pub(crate) async fn of(
        &self,
        database: &Database,
        client: &Arc<Client>,
        day: Date,
    ) -> Result<Salt, Error> {
        if let Some(salt) = self.known(client, day) {
            return Ok(salt);
        }
        let new: [u8; SALT] = rand::random();
        let arguments = arguments().with(day.to_sqlx())?.with(new.to_vec())?.end();
        let mut connection = database.connection_to_commit(client).await?;
        let find = FIND.fetch_all(database, connection.as_mut(), arguments);
        let rows = database.within_deadline(find).await?;
        connection.settle();
        let row = rows
            .first()
            .ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        let salt = Salt::new(row.try_get("salt")?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (of, _)| *of >= day);
        known.insert(client.schema.clone(), (day, salt.clone()));
        Ok(salt)
    }

    fn known(&self, client: &Client, day: Date) -> Option<Salt> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, salt) = known.get(&client.schema)?;
        (*of == day).then(|| salt.clone())
    }
}

/// Deletes the salts of `client` that nobody needs at `now`.
pub(crate) async fn forget(
    database: &Database,
    client: &Client,
    now: Timestamp,
) -> Result<(), Error> {
    let first = day::first_with_salt(now).to_sqlx();
    let arguments = arguments().with(first)?.end();
    let work = async {
        let mut connection = database.connection(client).await?;
        FORGET
            .fetch_all(database, connection.as_mut(), arguments)
            .await
    };
    database.within_deadline(work).await.map(drop)
}
