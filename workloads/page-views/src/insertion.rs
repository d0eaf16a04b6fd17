//! Inserting views, any number with one statement, those of requests that come at the same time together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use docket_platform::database::{
    Batch, ClientBatchers, Database, Statement, arguments, commits_itself,
};
use docket_platform::error::Error;
use docket_platform::tenant::{Client, Tenant};
use jiff::civil::Date;
use sqlx::Row as _;
use tracing::Span;
use uuid::Uuid;

use crate::copied_rows;
use crate::day;
use crate::outcome::Outcome;
use crate::view::Seen;
use crate::visitor::LENGTH;

pub(crate) const TABLE: &str = "page_views";
pub(crate) const IDS: &str = "page_view_ids";
pub(crate) const REJECTS: &str = "page_view_rejects";

// What a day has most of, the views of bodies without ids: half the work of an INSERT of arrays.
const COPY: Statement = Statement {
    operation: "COPY",
    table: TABLE,
    sql: "COPY page_views (day, path, document_id, referrer, visitor) FROM STDIN (FORMAT binary)",
};

// In the order of their ids and of their outcomes, so that two statements wait for each other in one order only.
const INSERT: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "WITH new AS MATERIALIZED (\
            SELECT id::uuid, day, path, document_id, referrer, visitor \
            FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[], $5::text[], $6::bytea[]) \
              AS new (id, day, path, document_id, referrer, visitor)\
          ), fresh AS (\
            INSERT INTO page_view_ids (id) SELECT id FROM new WHERE id IS NOT NULL ORDER BY id \
            ON CONFLICT DO NOTHING RETURNING id\
          ), stored AS (\
            INSERT INTO page_views (day, path, document_id, referrer, visitor) \
            SELECT day, path, document_id, referrer, visitor FROM new \
            WHERE id IS NULL OR id IN (SELECT id FROM fresh)\
          ), rejected AS (\
            INSERT INTO page_view_rejects AS it (day, outcome, views) \
            SELECT day, outcome, sum(views)::bigint FROM (\
              SELECT day, outcome, views \
              FROM unnest($7::date[], $8::text[], $9::bigint[]) AS told (day, outcome, views) \
              UNION ALL \
              SELECT day, 'duplicate', 1 FROM new \
              WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM fresh)\
            ) AS each GROUP BY day, outcome ORDER BY day, outcome \
            ON CONFLICT (day, outcome) DO UPDATE SET views = it.views + excluded.views\
          ) SELECT id::text FROM fresh",
};

/// The views of one request.
#[derive(Debug)]
pub(crate) struct Views {
    pub(crate) day: Date,
    pub(crate) visitor: [u8; LENGTH],
    /// Those that count, unless their ids were told before.
    pub(crate) seen: Vec<Seen>,
    /// How many do not, by outcome.
    pub(crate) rejected: Vec<(Outcome, i64)>,
}

impl Views {
    /// Whether all of them are stored, and there is nothing else to write.
    fn are_rows_only(&self) -> bool {
        self.rejected.is_empty() && self.seen.iter().all(|seen| seen.id.is_none())
    }
}

/// What became of each of a request's [`Views::seen`], in their order, or why nobody knows.
type Inserted = Result<Vec<Outcome>, Arc<Error>>;

/// Inserts views.
#[derive(Debug)]
pub(crate) struct Inserter {
    database: Arc<Database>,
    batchers: ClientBatchers<Arc<Views>, Inserted>,
}

impl Inserter {
    pub(crate) fn new(database: Arc<Database>, tenant: &Tenant) -> Self {
        Self {
            database,
            batchers: ClientBatchers::new(tenant),
        }
    }

    /// What became of each of `views.seen`, once it is committed.
    ///
    /// A request that has spans does so by itself, so that they tell of its own commit.
    ///
    /// # Errors
    /// When the database is away: then some may be stored all the same.
    pub(crate) async fn insert(
        &self,
        client: &Arc<Client>,
        views: Views,
    ) -> Result<Vec<Outcome>, Error> {
        let (views, work) = (Arc::new(views), self.work(client));
        if Span::current().is_none()
            && let Some(batcher) = self.batchers.of(client)
        {
            let inserted = batcher.submit(views, work).await.ok_or(Error::Panic)?;
            return inserted.map_err(Error::Shared);
        }
        let inserted = work.insert_all(&[views]).await?;
        Ok(inserted.into_iter().flatten().collect())
    }

    fn work(&self, client: &Arc<Client>) -> InsertAll {
        InsertAll {
            database: self.database.clone(),
            client: client.clone(),
        }
    }
}

struct InsertAll {
    database: Arc<Database>,
    client: Arc<Client>,
}

impl Batch<Arc<Views>, Inserted> for InsertAll {
    // While one waits for the disk, the other is prepared.
    const CONCURRENT: usize = 2;
    // Each has a thousand views at most, of some hundred bytes.
    const MAX_SIZE: usize = 64;

    async fn run(&self, requests: Vec<Arc<Views>>) -> Option<Vec<Inserted>> {
        Some(match self.insert_all(&requests).await {
            Ok(each) => each.into_iter().map(Ok).collect(),
            Err(error) => {
                let error = Arc::new(error);
                requests.iter().map(|_| Err(error.clone())).collect()
            }
        })
    }
}

impl InsertAll {
    async fn insert_all(&self, requests: &[Arc<Views>]) -> Result<Vec<Vec<Outcome>>, Error> {
        match requests.iter().all(|views| views.are_rows_only()) {
            true => self.copy_rows(requests).await,
            false => self.insert_with_ids(requests).await,
        }
    }

    async fn copy_rows(&self, requests: &[Arc<Views>]) -> Result<Vec<Vec<Outcome>>, Error> {
        let rows = copied_rows::encode(requests.iter().map(|views| &**views));
        let database = &self.database;
        let mut connection = database.connection_to_commit(&self.client).await?;
        let copy = COPY.copy(database, &mut connection, &rows);
        database
            .within_deadline(commits_itself(TABLE, copy))
            .await?;
        let stored = |views: &Arc<Views>| vec![Outcome::Stored; views.seen.len()];
        Ok(requests.iter().map(stored).collect())
    }

    async fn insert_with_ids(&self, requests: &[Arc<Views>]) -> Result<Vec<Vec<Outcome>>, Error> {
        let firsts = firsts(requests);
        let arguments = bind(requests, &firsts)?;
        let database = &self.database;
        let mut connection = database.connection_to_commit(&self.client).await?;
        let insert = INSERT.fetch_all(database, connection.as_mut(), arguments);
        let rows = database
            .within_deadline(commits_itself(TABLE, insert))
            .await?;
        connection.settle();
        let fresh = rows
            .iter()
            .map(|row| {
                let id: String = row.try_get("id")?;
                Uuid::try_parse(&id).map_err(|error| sqlx::Error::Decode(error.into()))
            })
            .collect::<Result<HashSet<Uuid>, sqlx::Error>>()?;
        Ok(outcomes(requests, &firsts, &fresh))
    }
}

/// Where each id comes first: request and place in it. What comes later is a duplicate, whatever the table has.
fn firsts(requests: &[Arc<Views>]) -> HashMap<Uuid, (usize, usize)> {
    let mut firsts = HashMap::new();
    for (request, views) in requests.iter().enumerate() {
        for (place, seen) in views.seen.iter().enumerate() {
            if let Some(id) = seen.id {
                firsts.entry(id).or_insert((request, place));
            }
        }
    }
    firsts
}

fn is_first(firsts: &HashMap<Uuid, (usize, usize)>, id: Option<Uuid>, at: (usize, usize)) -> bool {
    id.is_none_or(|id| firsts.get(&id) == Some(&at))
}

fn outcomes(
    requests: &[Arc<Views>],
    firsts: &HashMap<Uuid, (usize, usize)>,
    fresh: &HashSet<Uuid>,
) -> Vec<Vec<Outcome>> {
    let of = |request: usize, place: usize, seen: &Seen| {
        let is_new = seen.id.is_none_or(|id| fresh.contains(&id));
        match is_new && is_first(firsts, seen.id, (request, place)) {
            true => Outcome::Stored,
            false => Outcome::Duplicate,
        }
    };
    let requests = requests.iter().enumerate();
    requests
        .map(|(request, views)| {
            let seen = views.seen.iter().enumerate();
            seen.map(|(place, seen)| of(request, place, seen)).collect()
        })
        .collect()
}

fn bind(
    requests: &[Arc<Views>],
    firsts: &HashMap<Uuid, (usize, usize)>,
) -> Result<sqlx::postgres::PgArguments, Error> {
    let mut new = Vec::new();
    let mut rejected: HashMap<(Date, Outcome), i64> = HashMap::new();
    for (request, views) in requests.iter().enumerate() {
        for (place, seen) in views.seen.iter().enumerate() {
            match is_first(firsts, seen.id, (request, place)) {
                true => new.push((views, seen)),
                false => *rejected.entry((views.day, Outcome::Duplicate)).or_default() += 1,
            }
        }
        for (outcome, count) in &views.rejected {
            *rejected.entry((views.day, *outcome)).or_default() += count;
        }
    }
    let id = |seen: &Seen| seen.id.map(|id| id.to_string());
    let days = day::array(rejected.keys().map(|(day, _)| *day));
    let outcomes: Vec<&str> = rejected.keys().map(|(_, it)| it.as_str()).collect();
    let counts: Vec<i64> = rejected.values().copied().collect();
    let values = arguments()
        .with(new.iter().map(|(_, it)| id(it)).collect::<Vec<_>>())?
        .with(day::array(new.iter().map(|(of, _)| of.day)))?
        .with(
            new.iter()
                .map(|(_, it)| it.path.as_deref())
                .collect::<Vec<_>>(),
        )?
        .with(new.iter().map(|(_, it)| it.document_id).collect::<Vec<_>>())?
        .with(
            new.iter()
                .map(|(_, it)| it.referrer.as_deref())
                .collect::<Vec<_>>(),
        )?
        .with(
            new.iter()
                .map(|(of, _)| of.visitor.as_slice())
                .collect::<Vec<_>>(),
        )?
        .with(days)?
        .with(outcomes)?
        .with(counts)?;
    Ok(values.end())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn views(ids: &[Option<u128>]) -> Arc<Views> {
        let seen = ids.iter().map(|id| Seen {
            id: id.map(Uuid::from_u128),
            ..Seen::default()
        });
        Arc::new(Views {
            day: date(2026, 3, 1),
            visitor: [0; LENGTH],
            seen: seen.collect(),
            rejected: Vec::new(),
        })
    }

    #[test]
    fn of_equal_ids_in_one_statement_the_first_counts_if_the_table_had_none() {
        use Outcome::{Duplicate, Stored};
        let requests = [
            views(&[Some(1), None, Some(1)]),
            views(&[Some(1), Some(2), Some(3)]),
        ];
        let firsts = firsts(&requests);
        let fresh = [1, 3].map(Uuid::from_u128).into();
        let outcomes = outcomes(&requests, &firsts, &fresh);
        let expected = [[Stored, Stored, Duplicate], [Duplicate, Duplicate, Stored]];
        assert_eq!(outcomes, expected);
    }
}
