//! The program itself: its names, and how it ends where there is no cluster.

use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_docketctl");

fn run(program: impl AsRef<Path>, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program.as_ref())
        .args(arguments)
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("a status"), text(stdout), text(stderr))
}

fn kubeconfig(folder: &Path, server: &str) -> String {
    let file = folder.join("kubeconfig");
    let config = format!(
        r#"{{"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{{"name": "c", "cluster": {{"server": "{server}"}}}}], "users": [{{"name": "u", "user": {{}}}}],
            "contexts": [{{"name": "c", "context": {{"cluster": "c", "user": "u"}}}}]}}"#
    );
    std::fs::write(&file, config).expect("written");
    file.to_str().expect("UTF-8").to_owned()
}

#[test]
fn without_a_cluster_it_says_what_to_do_and_ends_with_2() {
    let (status, stdout, stderr) = run(PROGRAM, &["status"]);
    assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.starts_with("docketctl: no cluster is named: "),
        "{stderr}"
    );
    assert!(stderr.contains("KUBECONFIG"), "{stderr}");
}

#[test]
fn an_api_server_that_does_not_answer_is_named_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = docket_loopback::free_address().expect("an address");
    let file = kubeconfig(folder.path(), &format!("http://{address}"));
    let (status, _, stderr) = run(PROGRAM, &["status", "acme", "--kubeconfig", &file]);
    assert_eq!(status, 2, "{stderr}");
    assert!(
        stderr.contains("the API server does not answer: Connection refused"),
        "{stderr}"
    );
}

#[test]
fn a_context_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = kubeconfig(folder.path(), "http://127.0.0.1:1");
    let (status, _, stderr) = run(
        PROGRAM,
        &["status", "--kubeconfig", &file, "--context", "absent"],
    );
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("absent"), "{stderr}");
}

#[test]
fn as_a_plugin_of_kubectl_it_is_called_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("kubectl-docket");
    std::os::unix::fs::symlink(PROGRAM, &link).expect("a link");
    let (status, stdout, _) = run(&link, &["rotate", "--help"]);
    assert_eq!(status, 0);
    assert!(stdout.contains("Usage: kubectl docket rotate "), "{stdout}");
    let (status, _, stderr) = run(&link, &["status"]);
    assert_eq!(status, 2);
    assert!(stderr.starts_with("kubectl docket: "), "{stderr}");
}

#[test]
fn wrong_arguments_end_with_2() {
    let (status, _, stderr) = run(PROGRAM, &["statsu"]);
    assert_eq!(status, 2);
    assert!(
        stderr.contains("a similar subcommand exists: 'status'"),
        "{stderr}"
    );
}
