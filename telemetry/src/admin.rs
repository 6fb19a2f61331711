//! The admin server: how operators, probes and Prometheus look into the process over HTTP.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::{Health, Report};
use crate::metrics::{Metrics, VERSION};

/// Version 0.0.4 of the text format, the one that Prometheus asks for without content negotiation.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why the admin server could not begin.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The port is taken.
    #[error(
        "the admin address {address} is in use, perhaps by another process of this fleet; \
         set `admin` to another port, or to port 0 for any free one"
    )]
    Busy {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address isn't one of this machine, or not allowed.
    #[error("can't listen on the admin address {address}, set `admin` to another: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}

impl AdminError {
    fn bind(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Busy { address },
            _ => Self::Bind { address, source },
        }
    }
}

/// A server that holds its port and isn't serving yet.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl AdminServer {
    /// Takes the port. Port 0 takes a free one: see [`address`](Self::address).
    pub async fn bind(
        address: SocketAddr,
        health: Health,
        metrics: Metrics,
    ) -> Result<Self, AdminError> {
        let failed = |source| AdminError::bind(address, source);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, router: router(health, metrics) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled; then finishes the answers that it has begun. Serve on
    /// while the process drains: `/readyz` has something to say then.
    pub async fn serve(self, stop: CancellationToken) {
        let served = axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "admin server failed");
        }
    }
}

fn router(health: Health, metrics: Metrics) -> Router {
    let probes =
        Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(health);
    Router::new()
        .route("/metrics", get(scrape))
        .with_state(metrics)
        .route("/version", get(version))
        .merge(probes)
}

/// The query of a probe: `?verbose` lists each check even when all is well.
type ProbeQuery = Query<HashMap<String, String>>;

async fn livez(State(health): State<Health>, query: ProbeQuery) -> impl IntoResponse {
    answer(&health.live(), &query)
}

async fn readyz(State(health): State<Health>, query: ProbeQuery) -> impl IntoResponse {
    answer(&health.ready(), &query)
}

fn answer(report: &Report, query: &ProbeQuery) -> (StatusCode, String) {
    let status = if report.passed() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = if query.contains_key("verbose") { report.verbose() } else { report.brief() };
    (status, text)
}

async fn scrape(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.render())
}

async fn version() -> impl IntoResponse {
    let body = serde_json::json!({ "version": VERSION }).to_string();
    ([(header::CONTENT_TYPE, "application/json")], body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_is_a_clear_error() {
        let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let health = Health::new(CancellationToken::new());
        let (_recorder, metrics) = Metrics::build(crate::metrics::GAUGE_EXPIRY).unwrap();
        let error = AdminServer::bind(address, health, metrics).await.unwrap_err();
        assert!(matches!(error, AdminError::Busy { .. }), "{error}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
