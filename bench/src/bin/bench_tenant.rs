//! Prints the tenant that is measured: `{"config": <tenant.json>, "sql": <what provisions it>}`.

use clap::Parser;
use docket_contract::hash_api_key;
use docket_schema::{Applied, BOOTSTRAP, Identity, Owner, Provision, provision};
use serde_json::{Value, json};

const TENANT: &str = "bench";

/// Each client's API key is `<name>-key`, and its password `<name>-password`.
#[derive(Parser)]
struct Arguments {
    /// Port of Postgres on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Folder of the content, or the S3 endpoint that has a bucket named bench.
    #[arg(long)]
    content: String,
    /// Names of the clients.
    clients: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut sql = BOOTSTRAP.to_owned();
    let mut clients = Vec::new();
    for client in arguments.clients {
        let identity = Identity::of(TENANT, TENANT, &client);
        let password = format!("{client}-password");
        sql += &provisioned(&identity, &client, &password);
        clients.push(json!({
            "name": client,
            "schema": identity.schema,
            "role": identity.role,
            "password": password,
            "apiKeyHashes": [hash_api_key(&format!("{client}-key"))],
        }));
    }
    let config = json!({
        "tenant": TENANT,
        "namespace": TENANT,
        "database": {
            "host": "127.0.0.1", "port": arguments.port, "dbname": "postgres", "sslMode": "disable",
        },
        "auth": {"mode": "ApiKey"},
        "workloads": {"documents": {"storage": storage(&arguments.content)}, "pageViews": {}},
        "clients": clients,
    });
    serde_json::to_writer(std::io::stdout(), &json!({"config": config, "sql": sql}))?;
    Ok(())
}

fn storage(content: &str) -> Value {
    match content.starts_with("http://") {
        true => json!({"s3": {"bucket": TENANT, "endpoint": content, "region": "us-east-1"}}),
        false => json!({"folder": {"path": content}}),
    }
}

fn provisioned(identity: &Identity, client: &str, password: &str) -> String {
    let owner = Owner {
        namespace: TENANT.into(),
        tenant: TENANT.into(),
        tenant_uid: "11111111-2222-3333-4444-555555555555".into(),
        client: client.into(),
    };
    // Postgres makes the verifier itself when it is given the password.
    provision(&Provision {
        identity,
        owner: &owner,
        verifier: password,
        credential_hash: "hash",
        workloads: &["documents", "pageViews"],
        applied: &Applied::default(),
        content: "{}",
        connections: 256,
    })
}
