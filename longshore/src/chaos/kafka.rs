//! A Kafka of one's own behind a proxy: both can be broken.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use longshore_chaos::{Control, Proxy, Schedule, run_schedule};
use longshore_local::{Environment, OwnedBroker, start_owned_behind};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::ChaosError;

/// How long a broker that is to be killed is left without requests before it is looked whether it
/// has carried out what it has decided.
const QUIET: Duration = Duration::from_secs(1);
/// How long that may take on a busy machine.
const CARRIED_OUT_MAX: Duration = Duration::from_secs(60);
/// Kafka's own tool that knows in which state transactions are; nothing smaller does.
const TRANSACTIONS: &str = "org.apache.kafka.tools.TransactionsCommand";

/// The broker, the proxy, and who disturbs the network. Ends with its owner.
pub(super) struct Kafka {
    broker: OwnedBroker,
    proxy: Proxy,
    disturbance: Option<Disturbance>,
    runtime: Runtime,
}

/// A schedule that is being run.
struct Disturbance {
    stop: CancellationToken,
    count: JoinHandle<usize>,
}

impl Kafka {
    /// Starts it, installing Kafka first where there is none.
    pub(super) fn start(environment: &Environment) -> Result<Self, ChaosError> {
        let runtime = Runtime::new().map_err(ChaosError::system("start the proxy's threads"))?;
        let proxy = runtime.block_on(Proxy::listen((Ipv4Addr::LOCALHOST, 0).into()))?;
        let broker = start_owned_behind(environment, proxy.address(), &mut |_| {})?;
        if let Some(address) = broker.proxied_address() {
            proxy.control().forward_to(address);
        }
        Ok(Self { broker, proxy, disturbance: None, runtime })
    }

    /// Where the fleet finds it: through the proxy.
    pub(super) fn servers_of_fleet(&self) -> String {
        self.proxy.address().to_string()
    }

    /// Where it is found past the proxy, by who looks on.
    pub(super) fn servers(&self) -> String {
        self.broker.bootstrap_servers()
    }

    /// The network goes wrong as the seed says, until it is left in peace.
    pub(super) fn disturb(&mut self, seed: u64) {
        let (stop, control) = (CancellationToken::new(), self.control());
        let stopped = stop.clone();
        let schedule = Schedule::from_seed(seed);
        let count =
            self.runtime.spawn(async move { run_schedule(&control, schedule, &stopped).await });
        self.disturbance = Some(Disturbance { stop, count });
    }

    /// Everything passes from now on. Answers how often the network was disturbed.
    pub(super) fn leave_in_peace(&mut self) -> u64 {
        let Some(Disturbance { stop, count }) = self.disturbance.take() else {
            return 0;
        };
        stop.cancel();
        // A schedule that panicked has said so.
        self.runtime.block_on(count).unwrap_or(0) as u64
    }

    /// Kill -9, and a start on the same data. Nobody may be at work: the only broker of a cluster
    /// that dies between the decision about a transaction and its markers never writes them. False:
    /// it lives, because it didn't get through with them in time.
    pub(super) fn kill_and_restart(&mut self) -> Result<bool, ChaosError> {
        thread::sleep(QUIET);
        let deadline = Instant::now() + CARRIED_OUT_MAX;
        while self.has_markers_to_write()? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
        self.broker.kill();
        self.broker.restart(&mut |_| {})?;
        Ok(true)
    }

    fn has_markers_to_write(&self) -> Result<bool, ChaosError> {
        let mut tool = self.broker.tool_command(TRANSACTIONS);
        let listed = tool.args(["--bootstrap-server", &self.servers(), "list"]).output();
        let listed = listed.map_err(ChaosError::system("run Kafka's tool for transactions"))?;
        let states = String::from_utf8_lossy(&listed.stdout);
        // `PrepareCommit` and `PrepareAbort`. A tool that got no answer lists nothing.
        Ok(!listed.status.success() || states.contains("Prepare"))
    }

    fn control(&self) -> Control {
        self.proxy.control()
    }
}
