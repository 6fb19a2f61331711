//! The whole of telemetry, started before the work and stopped after it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::{AdminError, AdminServer};
use crate::health::Health;
use crate::logs::{self, LogsError, Surroundings};
use crate::metrics::{Metrics, MetricsError};
use crate::settings::TelemetrySettings;
use crate::shutdown::Shutdown;

/// How long a last scrape may take: the work is done by then, and a client that doesn't read isn't
/// worth waiting for.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// Why telemetry could not start. Nothing else should, then: it could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Logging could not begin.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// Metrics could not be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The admin server could not begin.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

/// The telemetry of the running process. There is one: logs and metrics are global to a process.
#[derive(Debug)]
pub struct Telemetry {
    shutdown: Shutdown,
    health: Health,
    admin: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Telemetry {
    /// Starts logs, metrics and the admin server. From now on `/livez` answers, and `/readyz` says
    /// no until a component is registered and ready. `surroundings` tells what is at work where a
    /// line is logged.
    pub async fn start(
        settings: TelemetrySettings,
        surroundings: Surroundings,
        shutdown: Shutdown,
    ) -> Result<Self, StartError> {
        // Logs first: whatever fails next can be told.
        logs::start(settings.logs, surroundings)?;
        let metrics = Metrics::install()?;
        let health = Health::new(shutdown.token());
        let server = AdminServer::bind(settings.admin, health.clone(), metrics.clone()).await?;
        let admin = server.address();
        // Not the token of draining: whoever watches a process drain needs both tasks.
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(metrics.upkeep(stop.clone()));
        tasks.spawn(server.serve(stop.clone()));
        tracing::info!(%admin, "admin server listens");
        Ok(Self { shutdown, health, admin, stop, tasks })
    }

    /// Where components register.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Is cancelled when the process is to drain.
    pub fn draining(&self) -> CancellationToken {
        self.shutdown.token()
    }

    /// The address that the admin server got.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Stops the admin server, at most a second after the work is done. Log lines need no flush.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let joined = async { while self.tasks.join_next().await.is_some() {} };
        // What is late is aborted when the set is dropped.
        let _ = tokio::time::timeout(STOP_LIMIT, joined).await;
    }
}
