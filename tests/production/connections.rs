//! Limits of connections, one test for each.

use std::time::Duration;

use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use test_support::installation::Installation;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::http2_client::{
    GO_AWAY, HEADERS, Http2Client, PING, RST_STREAM, SETTINGS, begin_call, cancel_call, end_call, frame,
};

/// Error codes of HTTP/2.
const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

async fn installation(settings: &[(&str, &str)]) -> Installation {
    let mut installation = Installation::new(&Sandbox::start(&[])).await;
    for (key, value) in settings {
        installation.set(&format!("SERVER__CONNECTIONS__{key}"), *value);
    }
    installation
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_peer_is_pinged_and_then_disconnected() {
    let installation = installation(&[("KEEPALIVE_INTERVAL", "200ms"), ("KEEPALIVE_TIMEOUT", "3s")]).await;
    let process = installation.start().await;
    let mut silent = Http2Client::open(&process, &installation.authority).await;
    let frames = silent.read_to_end().await;
    assert!(frames.iter().any(|frame| frame.kind == PING), "{frames:?}");

    // A peer that answers the pings stays connected.
    let mut answering = Http2Client::open(&process, &installation.authority).await;
    for _ in 0..5 {
        let ping = answering.next_of(PING).await.expect("the connection stays");
        answering.send(&frame(PING, 1, 0, &ping.payload)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_connection_closes_after_its_calls_have_ended() {
    let installation = installation(&[("AGE", "2s")]).await;
    let process = installation.start().await;
    let mut client = Http2Client::open(&process, &installation.authority).await;
    client.send(&begin_call(1)).await;
    let mut goaways = 0;
    while goaways < 2 {
        let frame = client.next().await.expect("the connection stays while a call is under way");
        match frame.kind {
            GO_AWAY => {
                assert_eq!(frame.error_code(), NO_ERROR);
                goaways += 1;
            }
            // Between the two GOAWAY frames, the server pings to learn whether the first has arrived.
            PING => client.send(&self::frame(PING, 1, 0, &frame.payload)).await,
            _ => {}
        }
    }
    client.send(&end_call(1)).await;
    let rest = client.read_to_end().await;
    assert!(rest.iter().any(|frame| (frame.kind, frame.stream) == (HEADERS, 1)), "an answer: {rest:?}");
    wait_until("the call is logged", async || process.log_lines("call").len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_while_connections_are_replaced() {
    let installation = installation(&[("AGE", "500ms")]).await;
    let process = installation.start().await;
    let mut service = TemporaryPinServiceClient::new(process.connect_as("phone"));
    let mut answered = 0;
    let calling = async {
        loop {
            let status = service.check_eligibility(CheckEligibilityRequest::default()).await.unwrap_err();
            match std::error::Error::source(&status) {
                None => {
                    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
                    answered += 1;
                }
                // The client itself failed the call, because it sent it after GOAWAY. The server has not seen it, as the
                // count below shows.
                Some(_) => assert!(status.metadata().is_empty(), "{status:?}"),
            }
        }
    };
    let wait_for_replacements = async {
        for _ in 0..5 {
            Http2Client::open(&process, &installation.authority).await.next_of(GO_AWAY).await.expect("a GOAWAY frame");
        }
    };
    tokio::select! {
        () = wait_for_replacements => {}
        () = calling => {}
    }
    // The test may have dropped the last call.
    wait_until("all calls are logged", async || process.log_lines("call").len() >= answered).await;
    assert!(process.log_lines("call").len() - answered <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_outlast_the_grace_period_are_cut_off() {
    let mut installation = installation(&[("AGE", "200ms"), ("AGE_GRACE", "200ms")]).await;
    installation.set("SERVER__DEFAULT_DEADLINE", "200ms");
    let process = installation.start_listening();
    let mut health = HealthClient::new(process.connect_as("web"));
    // On a slow machine, a connection may reach its age before the first call.
    let watch = loop {
        if let Ok(watch) = health.watch(HealthCheckRequest::default()).await {
            break watch;
        }
    };
    let mut watch = watch.into_inner();
    while let Ok(Some(_)) = watch.message().await {}
    wait_until("it is logged", async || {
        !process.log_lines("a connection was cut off: its calls had not ended in time").is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_cancelled_calls_closes_the_connection() {
    let installation = installation(&[("PENDING_RESETS", "5")]).await;
    let process = installation.start().await;
    let mut client = Http2Client::open(&process, &installation.authority).await;
    // Fewer than the default limit.
    let streams = (0..10).map(|number| 2 * number + 1);
    let flood: Vec<u8> = streams.flat_map(|stream| [begin_call(stream), cancel_call(stream)].concat()).collect();
    client.send(&flood).await;
    let frames = client.read_to_end().await;
    let goaway = frames.iter().find(|frame| frame.kind == GO_AWAY).expect("a GOAWAY frame");
    assert_eq!(goaway.error_code(), ENHANCE_YOUR_CALM);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_protocol_errors_closes_the_connection() {
    let installation = installation(&[("STREAMS", "1"), ("ERROR_RESETS", "5")]).await;
    let process = installation.start().await;
    let mut client = Http2Client::open(&process, &installation.authority).await;
    let flood: Vec<u8> = (0..100).flat_map(|number| begin_call(2 * number + 1)).collect();
    client.send(&flood).await;
    let frames = client.read_to_end().await;
    let goaway = frames.iter().find(|frame| frame.kind == GO_AWAY).expect("a GOAWAY frame");
    assert_eq!(goaway.error_code(), ENHANCE_YOUR_CALM);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_above_the_stream_limit_is_refused() {
    let installation = installation(&[("STREAMS", "2")]).await;
    let process = installation.start().await;
    let mut client = Http2Client::open(&process, &installation.authority).await;
    let settings = client.next_of(SETTINGS).await.unwrap();
    let streams =
        settings.payload.chunks(6).find(|setting| setting[..2] == [0, 3]).expect("the setting MAX_CONCURRENT_STREAMS");
    assert_eq!(streams[2..], 2_u32.to_be_bytes());

    client.send(&[begin_call(1), begin_call(3), begin_call(5)].concat()).await;
    let refused = client.next_of(RST_STREAM).await.unwrap();
    assert_eq!((refused.stream, refused.error_code()), (5, REFUSED_STREAM));
    // After a call has ended, one more call is allowed.
    client.send(&[cancel_call(1), begin_call(7), begin_call(9)].concat()).await;
    let refused = client.next_of(RST_STREAM).await.unwrap();
    assert_eq!((refused.stream, refused.error_code()), (9, REFUSED_STREAM));
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_above_the_limit_is_refused() {
    let installation = installation(&[("HEADER_LIST_SIZE", "4096")]).await;
    let process = installation.start().await;
    let mut service = TemporaryPinServiceClient::new(process.connect_as("web"));
    let request_with_padding = |length: usize| {
        let mut request = Request::new(CheckEligibilityRequest::default());
        request.metadata_mut().insert("x-padding", "x".repeat(length).parse().unwrap());
        request
    };
    assert_eq!(service.check_eligibility(request_with_padding(2000)).await.unwrap_err().code(), Code::InvalidArgument);
    assert_ne!(service.check_eligibility(request_with_padding(5000)).await.unwrap_err().code(), Code::InvalidArgument);
    // The connection still works.
    assert_eq!(service.check_eligibility(request_with_padding(2000)).await.unwrap_err().code(), Code::InvalidArgument);
    wait_until("the other two calls are logged, and the refused one is not", async || {
        process.log_lines("call").len() == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_above_the_limit_is_closed() {
    let installation = installation(&[("LIMIT", "2")]).await;
    let process = installation.start().await;
    let try_to_connect = async || {
        let mut client = Http2Client::open(&process, &installation.authority).await;
        client.next_of(SETTINGS).await.map(|_| client)
    };
    // The connection that `start` used to wait for the service may take a moment to close.
    let mut clients = Vec::new();
    wait_until("two connections are served", async || {
        clients.extend(try_to_connect().await);
        clients.len() == 2
    })
    .await;
    assert!(try_to_connect().await.is_none());
    let closed = "too many connections: a new one was closed";
    wait_until("it is logged", async || !process.log_lines(closed).is_empty()).await;
    clients[0].send(&frame(PING, 0, 0, &[0; 8])).await;
    assert!(clients[0].next_of(PING).await.is_some());
    clients.pop();
    wait_until("a new connection is served", async || try_to_connect().await.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_half_open_handshakes_does_not_lock_out_callers() {
    let mut world = World::with_sandbox(Sandbox::start(&["--people", "1"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("SERVER__CONNECTIONS__HANDSHAKES", "4");
    installation.set("SERVER__CONNECTIONS__HANDSHAKE_TIMEOUT", "1h");
    let process = installation.start().await;
    let mut flood = Vec::new();
    for _ in 0..50 {
        flood.push(TcpStream::connect(process.address).await.unwrap());
    }
    world.channel = process.connect_as("phone");
    let person = world.new_person().await;
    world.check_eligibility("phone", person.reference()).await.unwrap();
    // The oldest handshake was aborted.
    assert_eq!(flood[0].read(&mut [0]).await.unwrap_or_default(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_times_out() {
    let installation = installation(&[("HANDSHAKE_TIMEOUT", "200ms")]).await;
    let process = installation.start_listening();
    let mut silent = TcpStream::connect(process.address).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(20), silent.read(&mut [0])).await;
    assert_eq!(closed.expect("it is closed").unwrap_or_default(), 0);
    wait_until("it is logged", async || process.log_lines("handshake took too long").len() == 1).await;
}
