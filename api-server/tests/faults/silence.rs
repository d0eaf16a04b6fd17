//! A way to Postgres that can fall silent, as when a machine goes and nobody says so, and that can be slow to
//! let anybody in, as when the machine is busy.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

const SOCKET: &str = ".s.PGSQL.5432";

pub struct Silencer {
    folder: TempDir,
    connections: Arc<AtomicUsize>,
    silenced: watch::Sender<usize>,
}

impl Silencer {
    /// Leads to the server whose socket is in `host`.
    pub fn before(host: &Path) -> Self {
        Self::with_delay(host, Duration::ZERO)
    }

    /// The same; each new connection gets its first answer only after `delay`.
    pub fn with_delay(host: &Path, delay: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let connections = Arc::new(AtomicUsize::new(0));
        let (silenced, _) = watch::channel(0);
        let (counter, silence) = (connections.clone(), silenced.clone());
        let target = host.join(SOCKET);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = UnixStream::connect(&target).await.expect("a server");
                let number = counter.fetch_add(1, Ordering::Relaxed);
                let mut silence = silence.subscribe();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let silenced = async {
                        // An error means that the test is over.
                        let _ = silence.wait_for(|up_to| number < *up_to).await;
                    };
                    let quiet = tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => false,
                        () = silenced => true,
                    };
                    if quiet {
                        // Open at both ends, and nothing comes through.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self {
            folder,
            connections,
            silenced,
        }
    }

    /// The folder of the socket: what a client takes as the host.
    pub fn host(&self) -> &Path {
        self.folder.path()
    }

    /// From now on nothing comes through those that were made so far.
    pub fn silence(&self) {
        self.silenced
            .send_replace(self.connections.load(Ordering::Relaxed));
    }
}
