//! Certificates that have expired: who refuses them, and what the log says then.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_keeps_telemetry_waiting_and_the_log_says_so() {
    let (authority, expired) = (
        new_authority(),
        Authority::until("expired", 2020).expect("an authority"),
    );
    let own = issue(&authority, "acme");
    for (issuer, own, says) in [
        // The endpoint refuses what the collector shows.
        (
            &authority,
            issue_until(&authority, "acme", 2020),
            "expired certificate",
        ),
        // The collector trusts no authority that has expired.
        (&expired, own, "certificate has expired or is not yet valid"),
    ] {
        let port = free_port();
        let folder = tempfile::tempdir().expect("a folder");
        let callers = write(folder.path(), "callers.crt", authority.pem().as_bytes());
        let shown = issue(issuer, GATEWAY);
        let key = secrecy::ExposeSecret::expose_secret(&shown.key);
        let tls = json!({"cert_pem": shown.certificate, "key_pem": key, "client_ca_file": callers});
        let gateway = Gateway::start(port, tls);
        let sidecar = Sidecar::start(
            &sending(Telemetry {
                endpoint: Some(format!("https://127.0.0.1:{port}")),
                authorities: Some(issuer.pem()),
                certificate: Some(own),
                server_name: Some(GATEWAY.into()),
                ..Telemetry::default()
            }),
            hasty(),
        )
        .await;
        sidecar.log_lines(&["hello".into()]).await;
        until(says, async || {
            sidecar.collector.log().contains(says).then_some(())
        })
        .await;
        until("what waits", async || {
            let waiting = sidecar.metric("otelcol_exporter_queue_size").await?;
            (waiting > 0.0).then_some(())
        })
        .await;
        assert!(gateway.lines().is_empty());
    }
}
