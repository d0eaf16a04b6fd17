//! An S3 server over a folder, in which a folder is a bucket and a file an object.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::mortal;
use crate::tool::tool;

/// What the server is to be.
#[derive(Clone, Copy, Debug)]
pub struct ObjectStoreSetup<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// The folder of the buckets.
    pub data: &'a Path,
    /// The one bucket, which is made where it is missing.
    pub bucket: &'a str,
    /// The region that requests are signed for.
    pub region: &'a str,
    /// Who may do everything with it.
    pub key_id: &'a str,
    /// The password.
    pub key: &'a str,
}

/// The command that starts it, as the development stack runs it.
///
/// # Errors
/// The server is not installed, or the bucket cannot be made.
pub fn object_store(setup: &ObjectStoreSetup<'_>) -> Result<Command> {
    std::fs::create_dir_all(setup.data.join(setup.bucket))?;
    let mut command = mortal(&tool("versitygw")?, "KILL");
    command
        .arg(format!("--port={}", setup.address))
        .arg(format!("--region={}", setup.region))
        .args(["--health=/health", "--quiet", "posix"])
        .arg(setup.data)
        .env("ROOT_ACCESS_KEY_ID", setup.key_id)
        .env("ROOT_SECRET_ACCESS_KEY", setup.key);
    Ok(command)
}
