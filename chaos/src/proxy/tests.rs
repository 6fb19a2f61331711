//! The proxy in front of a server that answers each frame with its own content.

use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::{ApiKey, Counts, Rules, Then, Trap};

const DEADLINE: Duration = Duration::from_secs(10);
/// Longer than anything here takes by itself.
const SILENCE: Duration = Duration::from_millis(150);
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
const END: ApiKey = ApiKey::END_TXN;
const FETCH: ApiKey = ApiKey::FETCH;

/// What the server was asked, in order: kinds and correlation ids.
type Asked = Arc<Mutex<Vec<(i16, i32)>>>;

struct Stage {
    proxy: Proxy,
    asked: Asked,
}

impl Stage {
    async fn set() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(LOOPBACK)).await.expect("a port");
        let proxy = Proxy::listen(LOOPBACK.into()).await.expect("a port");
        proxy.control().forward_to(listener.local_addr().expect("an address"));
        let asked = Asked::default();
        tokio::spawn(serve(listener, Arc::clone(&asked)));
        Self { proxy, asked }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.proxy.address()).await.expect("connected"))
    }

    fn asked(&self) -> Vec<(i16, i32)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn until(&self, what: &str, found: impl Fn(Counts) -> bool) {
        let begun = Instant::now();
        while !found(self.proxy.control().counts()) {
            let counts = self.proxy.control().counts();
            assert!(begun.elapsed() < DEADLINE, "{what}: {counts:?}");
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn serve(listener: TcpListener, asked: Asked) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer_all(stream, Arc::clone(&asked)));
    }
}

/// Answers each request with its correlation id and its body, until the client ends.
async fn answer_all(mut stream: TcpStream, asked: Asked) -> std::io::Result<()> {
    loop {
        let size = usize::try_from(stream.read_i32().await?).expect("a size");
        let (key, _version) = (stream.read_i16().await?, stream.read_i16().await?);
        let id = stream.read_i32().await?;
        let mut body = vec![0; size - 8];
        stream.read_exact(&mut body).await?;
        asked.lock().unwrap_or_else(PoisonError::into_inner).push((key, id));
        stream.write_i32(i32::try_from(body.len() + 4).expect("a size")).await?;
        stream.write_i32(id).await?;
        stream.write_all(&body).await?;
    }
}

struct Client(TcpStream);

impl Client {
    async fn ask(&mut self, key: ApiKey, id: i32, body: &[u8]) {
        let mut bytes = i32::try_from(body.len() + 8).expect("a size").to_be_bytes().to_vec();
        bytes.extend(key.0.to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(id.to_be_bytes());
        bytes.extend(body);
        self.0.write_all(&bytes).await.expect("sent");
    }

    async fn hear(&mut self) -> std::io::Result<(i32, Vec<u8>)> {
        let heard = timeout(DEADLINE, async {
            let size = usize::try_from(self.0.read_i32().await?).expect("a size");
            let id = self.0.read_i32().await?;
            let mut body = vec![0; size - 4];
            self.0.read_exact(&mut body).await?;
            Ok((id, body))
        });
        heard.await.expect("an answer, or an end")
    }

    /// The correlation id of the next answer.
    async fn hears(&mut self) -> i32 {
        self.hear().await.expect("an answer").0
    }

    async fn hears_nothing(&mut self) {
        let mut byte = [0];
        let heard = timeout(SILENCE, self.0.peek(&mut byte)).await;
        assert!(heard.is_err(), "heard {heard:?}");
    }

    async fn ends_with(&mut self, kind: ErrorKind) {
        assert_eq!(self.hear().await.expect_err("an end").kind(), kind);
    }
}

#[tokio::test]
async fn what_is_not_disturbed_passes_as_it_is() {
    let stage = Stage::set().await;
    let (mut one, mut other) = (stage.client().await, stage.client().await);
    let large: Vec<u8> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();
    one.ask(ApiKey::PRODUCE, 1, b"small").await;
    one.ask(FETCH, 2, b"").await;
    other.ask(END, 1, &large).await;
    assert_eq!(one.hear().await.expect("an answer"), (1, b"small".to_vec()));
    assert_eq!(one.hears().await, 2);
    assert_eq!(other.hear().await.expect("an answer"), (1, large));
    let counts = stage.proxy.control().counts();
    let passed = Counts { connections: 2, requests: 3, answers: 3, ..Counts::default() };
    assert_eq!(counts, passed);
}

#[tokio::test]
async fn a_swallowed_answer_was_given_and_the_next_one_is_heard() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    stage.proxy.control().set_trap(Trap::SwallowAnswer { of: END, then: Then::Stay }, 1);
    client.ask(FETCH, 1, b"").await;
    client.ask(END, 2, b"lost").await;
    client.ask(END, 3, b"").await;
    assert_eq!((client.hears().await, client.hears().await), (1, 3));
    assert_eq!(stage.asked(), [(1, 1), (26, 2), (26, 3)]);
    assert_eq!(stage.proxy.control().counts().swallowed, 1);
}

#[tokio::test]
async fn a_client_may_be_cut_off_with_its_answer() {
    let stage = Stage::set().await;
    let cases = [(Then::Cut, ErrorKind::UnexpectedEof), (Then::Reset, ErrorKind::ConnectionReset)];
    for (then, end) in cases {
        let mut client = stage.client().await;
        stage.proxy.control().set_trap(Trap::SwallowAnswer { of: END, then }, 1);
        client.ask(END, 1, b"").await;
        client.ends_with(end).await;
    }
    let counts = stage.proxy.control().counts();
    assert_eq!((counts.swallowed, counts.cut, counts.reset), (2, 1, 1));
    assert_eq!(stage.asked().len(), 2);
}

#[tokio::test]
async fn a_request_is_held_while_other_connections_go_on() {
    let stage = Stage::set().await;
    let (mut one, mut other) = (stage.client().await, stage.client().await);
    let hold = Trap::HoldRequest { of: END, at_most: DEADLINE, then: Then::Stay };
    stage.proxy.control().set_trap(hold, 1);
    one.ask(END, 1, b"").await;
    one.ask(FETCH, 2, b"").await;
    stage.until("it is held", |it| it.held_now == 1).await;
    other.ask(END, 7, b"").await;
    assert_eq!(other.hears().await, 7);
    one.hears_nothing().await;
    assert_eq!(stage.asked(), [(26, 7)]);
    stage.proxy.control().release();
    assert_eq!((one.hears().await, one.hears().await), (1, 2));
    let counts = stage.proxy.control().counts();
    assert_eq!((counts.held, counts.held_now, counts.delivered_late), (1, 0, 0));
}

#[tokio::test]
async fn a_request_is_held_no_longer_than_it_may_be() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let hold = Trap::HoldRequest { of: END, at_most: SILENCE, then: Then::Stay };
    stage.proxy.control().set_trap(hold, 1);
    let begun = Instant::now();
    client.ask(END, 1, b"").await;
    assert_eq!(client.hears().await, 1);
    assert!(begun.elapsed() >= SILENCE);
}

/// KAFKA-17754: the client has given its request up and asked again on a new connection, when the
/// first copy arrives.
#[tokio::test]
async fn a_request_arrives_when_its_client_has_gone_and_asked_again() {
    let stage = Stage::set().await;
    let control = stage.proxy.control();
    let mut first = stage.client().await;
    control.set_trap(Trap::HoldRequest { of: END, at_most: DEADLINE, then: Then::Reset }, 1);
    first.ask(END, 1, b"").await;
    first.ends_with(ErrorKind::ConnectionReset).await;
    let mut again = stage.client().await;
    again.ask(END, 2, b"").await;
    assert_eq!(again.hears().await, 2);
    // Neither a client that ends nor connections that are reset lose what a trap keeps.
    drop(first);
    control.reset_all();
    assert_eq!(stage.asked(), [(26, 2)]);
    control.release();
    stage.until("it was answered", |it| it.answered_late == 1).await;
    assert_eq!(stage.asked(), [(26, 2), (26, 1)]);
    assert_eq!((control.counts().delivered_late, control.counts().reset), (1, 2));
}

#[tokio::test]
async fn all_connections_are_cut_or_reset() {
    let stage = Stage::set().await;
    for (is_reset, end) in [(false, ErrorKind::UnexpectedEof), (true, ErrorKind::ConnectionReset)] {
        let mut clients = [stage.client().await, stage.client().await];
        for client in &mut clients {
            client.ask(FETCH, 1, b"").await;
            assert_eq!(client.hears().await, 1);
        }
        let control = stage.proxy.control();
        if is_reset {
            control.reset_all()
        } else {
            control.cut_all()
        }
        for client in &mut clients {
            client.ends_with(end).await;
        }
    }
    let counts = stage.proxy.control().counts();
    assert_eq!((counts.cut, counts.reset, counts.connections), (2, 2, 4));
}

#[tokio::test]
async fn delays_of_requests_on_their_way_together_do_not_add_up() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let delay = Duration::from_millis(200);
    let rules = Rules { delay_requests: delay, delay_answers: delay, ..Rules::default() };
    stage.proxy.control().set_rules(rules);
    let begun = Instant::now();
    for id in 0..10 {
        client.ask(FETCH, id, b"").await;
    }
    for id in 0..10 {
        assert_eq!(client.hears().await, id);
    }
    let took = begun.elapsed();
    assert!(took >= 2 * delay, "{took:?}");
    assert!(took < 10 * delay, "{took:?}");
    assert_eq!(stage.proxy.control().counts().delayed, 20);
}

#[tokio::test]
async fn a_slow_network_takes_its_time() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let bytes_per_second = NonZeroU64::new(1_000_000);
    stage.proxy.control().set_rules(Rules { bytes_per_second, ..Rules::default() });
    let begun = Instant::now();
    client.ask(FETCH, 1, &vec![0; 500_000]).await;
    assert_eq!(client.hears().await, 1);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

#[tokio::test]
async fn nothing_comes_out_of_a_black_hole_before_it_ends() {
    let stage = Stage::set().await;
    let control = stage.proxy.control();
    control.set_rules(Rules { black_hole: true, ..Rules::default() });
    let mut client = stage.client().await;
    client.ask(END, 1, b"").await;
    client.hears_nothing().await;
    assert_eq!(stage.asked(), []);
    control.set_rules(Rules::default());
    assert_eq!(client.hears().await, 1);
}

#[tokio::test]
async fn what_is_not_kafkas_protocol_is_closed_and_counted() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    client.0.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
    client.hear().await.expect_err("an end");
    stage.until("it is counted", |it| it.malformed == 1).await;
}

#[tokio::test]
async fn without_a_broker_a_client_is_refused() {
    let proxy = Proxy::listen(LOOPBACK.into()).await.expect("a port");
    let connect = || async { Client(TcpStream::connect(proxy.address()).await.expect("taken")) };
    connect().await.hear().await.expect_err("nobody was named");
    let gone = TcpListener::bind(SocketAddr::from(LOOPBACK)).await.expect("a port");
    proxy.control().forward_to(gone.local_addr().expect("an address"));
    drop(gone);
    connect().await.hear().await.expect_err("nobody listens");
    assert_eq!(proxy.control().counts().refused, 2);
}
