//! The least that a durable upload can cost: one object written and synced, then one insert and
//! commit, by as many threads as the API has connections. Prints `{"per_second": n}`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use uuid::Uuid;

#[derive(Clone, Parser)]
struct Arguments {
    /// Port of Postgres on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Login role, whose search_path has the table; its password is that of the client.
    #[arg(long)]
    role: String,
    #[arg(long)]
    password: String,
    /// An INSERT that takes the object's name, a UUID as text, as $1.
    #[arg(long)]
    insert: String,
    /// Folder of the objects; it must exist.
    #[arg(long)]
    folder: PathBuf,
    /// Size of an object, in bytes.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    #[arg(long, default_value_t = 64)]
    threads: usize,
    #[arg(long)]
    seconds: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let threads: Vec<_> = (0..arguments.threads)
        .map(|_| {
            let arguments = arguments.clone();
            thread::spawn(move || store_until_the_end(&arguments))
        })
        .collect();
    let mut stored = 0;
    for thread in threads {
        stored += thread.join().expect("a thread panicked")?;
    }
    let per_second = f64::from(stored) / start.elapsed().as_secs_f64();
    serde_json::to_writer(std::io::stdout(), &json!({"per_second": per_second}))?;
    Ok(())
}

fn store_until_the_end(arguments: &Arguments) -> anyhow::Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut connection = runtime.block_on(connect(arguments))?;
    let bytes = vec![b'x'; arguments.size];
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut stored = 0;
    while Instant::now() < end {
        let name = Uuid::now_v7().to_string();
        write_synced(&arguments.folder, &name, &bytes)?;
        let insert = sqlx::query(AssertSqlSafe(arguments.insert.as_str())).bind(&name);
        runtime.block_on(insert.execute(&mut connection))?;
        stored += 1;
    }
    Ok(stored)
}

async fn connect(arguments: &Arguments) -> sqlx::Result<PgConnection> {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(arguments.port)
        .database("postgres")
        .username(&arguments.role)
        .password(&arguments.password)
        .ssl_mode(PgSslMode::Disable)
        .connect()
        .await
}

/// The file, and the folder that holds its name.
fn write_synced(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = File::create_new(folder.join(name))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(())
}
