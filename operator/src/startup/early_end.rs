//! What must not end while the process runs: without it the process would hold its Lease, look alive, and do nothing.

use anyhow::anyhow;
use tokio::task::{JoinError, JoinHandle};

/// Resolves when the controller or the server of /metrics ended although nobody asked it to, with why the process
/// cannot go on.
pub async fn early_end(
    controller: &mut JoinHandle<()>,
    server: &mut JoinHandle<anyhow::Result<()>>,
) -> anyhow::Error {
    tokio::select! {
        ended = controller => explain("the controller", ended.map(Ok)),
        error = end_of_server(server) => error,
    }
}

/// The same of the server alone, while another holds the Lease.
pub async fn end_of_server(server: &mut JoinHandle<anyhow::Result<()>>) -> anyhow::Error {
    explain("the server of /metrics", server.await)
}

fn explain(what: &str, ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Error {
    match ended {
        Ok(Ok(())) => anyhow!("{what} ended"),
        Ok(Err(error)) => error.context(format!("{what} ended")),
        Err(error) if error.is_panic() => anyhow!("{what} panicked"),
        Err(error) => anyhow!(error).context(format!("{what} ended")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why the process cannot go on after `controller` and `server` did what they do.
    async fn told(
        controller: impl Future<Output = ()> + Send + 'static,
        server: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> String {
        let (mut controller, mut server) = (tokio::spawn(controller), tokio::spawn(server));
        format!("{:#}", early_end(&mut controller, &mut server).await)
    }

    #[tokio::test]
    async fn whatever_ends_the_controller_or_the_server_is_told_with_how_it_ended() {
        use std::future::{pending, ready};
        let panics = || async { panic!("hush") };
        assert_eq!(told(panics(), pending()).await, "the controller panicked");
        assert_eq!(told(ready(()), pending()).await, "the controller ended");
        let taken = ready(Err(anyhow!("the port is taken")));
        assert_eq!(
            told(pending(), taken).await,
            "the server of /metrics ended: the port is taken"
        );
        let panics = async { panic!("hush") };
        assert_eq!(
            told(pending(), panics).await,
            "the server of /metrics panicked"
        );
    }
}
