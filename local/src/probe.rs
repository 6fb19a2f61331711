//! Asks whether a Kafka answers, in Kafka's own protocol: an open port alone is no broker.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Long enough for a broker that is busy starting, short enough to ask often.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection across a network may take longer.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// `ApiVersions`, version 0, the one request that every broker since 0.10 answers (KIP-35).
/// Big-endian: size 10, key 18, version 0, correlation id 7, no client id.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];

/// True once the broker on this port of the loopback serves requests.
pub(crate) fn answers(port: u16) -> bool {
    ask(SocketAddr::from(([127, 0, 0, 1], port))).unwrap_or(false)
}

fn ask(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&API_VERSIONS)?;
    // Size, the correlation id sent back, and the error code, of which 0 is none.
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    Ok(answer[4..] == [0, 0, 0, 7, 0, 0])
}

/// Connects to the first of the given servers that can be reached; the last error otherwise.
/// Only a connection: the user's Kafka may speak TLS or want a log-in.
pub(crate) fn reach(bootstrap_servers: &str) -> io::Result<()> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no server is named");
    for server in bootstrap_servers.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        match connect(server) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// librdkafka takes `PROTOCOL://host:port` too, and port 9092 where none is given.
fn connect(server: &str) -> io::Result<()> {
    let server = server.split_once("://").map_or(server, |(_, address)| address);
    let has_port = server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { server.to_owned() } else { format!("{server}:9092") };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::net::TcpListener;

    #[test]
    fn a_listener_that_is_no_kafka_does_not_count_as_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        assert!(!answers(port));
        peer.join().unwrap();
        assert!(!answers(port), "nobody listens any more");
    }

    #[test]
    fn one_reachable_server_of_several_is_enough() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap().to_string();
        reach(&format!("127.0.0.1:1, PLAINTEXT://{good}")).unwrap();
        assert!(reach("127.0.0.1:1").is_err());
        assert!(reach(" ").is_err());
    }
}
