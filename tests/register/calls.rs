//! Deadlines, retries, outages, traces and logs.

use std::time::{Duration, Instant};

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rstest::rstest;
use temporary_pin::deadline;
use temporary_pin::register::{Register, RegisterSettings, RegisterUnavailable};
use test_support::fault_proxy::FaultProxy;
use tokio::net::TcpListener;
use tonic::{Code, Status};
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::fake_register::FakeRegister;
use crate::frame_observer::{FrameObserver, HEADERS, PING};
use crate::{CPR, MITID, World, by_cpr, person, settings};

#[rstest]
#[case::once(1, true, 2)]
#[case::twice(2, true, 3)]
#[case::for_good(9, false, 3)]
#[tokio::test]
async fn unavailable_is_retried(#[case] failures: usize, #[case] answered: bool, #[case] calls: usize) {
    let world = World::new().await;
    world.fake.state().failures.extend(vec![Status::unavailable("restarting"); failures]);
    assert_eq!(world.look_up().await.is_ok(), answered);
    assert_eq!(world.fake.calls(), calls);
}

#[rstest]
#[case(Code::Internal)]
#[case(Code::Unknown)]
#[case(Code::DeadlineExceeded)]
#[case(Code::ResourceExhausted)]
#[case(Code::PermissionDenied)]
#[case(Code::NotFound)]
#[tokio::test]
async fn other_failures_are_not_retried(#[case] code: Code) {
    let world = World::new().await;
    world.fake.state().failures.push_back(Status::new(code, "no"));
    assert_eq!(world.look_up().await.unwrap_err(), RegisterUnavailable);
    assert_eq!(world.fake.calls(), 1);
}

#[tokio::test]
async fn a_look_up_ends_with_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = RegisterSettings { deadline: Duration::from_secs(1), ..settings(&listener) };
    let register = Register::connect_lazy(settings).unwrap();
    let fake = FakeRegister::default();
    let _server = fake.serve(listener);
    fake.state().delay = Duration::from_secs(30);

    let start = Instant::now();
    assert_eq!(register.look_up_person(&by_cpr(CPR)).await.unwrap_err(), RegisterUnavailable);
    assert!(start.elapsed() < Duration::from_secs(10));
    // The request tells the register how much time it has.
    let state = fake.state();
    let timeout = state.calls[0].get("grpc-timeout").unwrap().to_str().unwrap();
    let micros: u64 = timeout.strip_suffix('u').unwrap().parse().unwrap();
    assert!((1..=1_000_000).contains(&micros));
}

/// The deadline of the call is earlier than the configured deadline, so it limits the look-up and is sent to the register.
#[tokio::test]
async fn a_look_up_ends_with_the_deadline_of_its_call() {
    let world = World::new().await;
    world.fake.state().delay = Duration::from_secs(30);

    let start = Instant::now();
    let deadline = start + Duration::from_secs(1);
    assert_eq!(deadline::with_deadline(deadline.into(), world.look_up()).await.unwrap_err(), RegisterUnavailable);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let state = world.fake.state();
    let timeout = state.calls[0].get("grpc-timeout").unwrap().to_str().unwrap();
    let micros: u64 = timeout.strip_suffix('u').unwrap().parse().unwrap();
    assert!((1..=1_000_000).contains(&micros), "{micros}");
}

#[tokio::test]
async fn look_ups_of_successors_share_one_deadline() {
    let world = World::knowing(|person| {
        person.cpr_status = "60".into();
        person.successor_cpr_number = "0202605888".into();
    })
    .await;
    world.fake.state().delay = Duration::from_millis(100);
    world.look_up().await.unwrap_err();
    let state = world.fake.state();
    let micros = |call: usize| -> u64 {
        let timeout = state.calls[call].get("grpc-timeout").unwrap().to_str().unwrap();
        timeout.strip_suffix('u').unwrap().parse().unwrap()
    };
    assert!(micros(1) + 100_000 <= micros(0));
}

#[tokio::test]
async fn a_register_that_accepts_and_never_responds_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = RegisterSettings { deadline: Duration::from_millis(200), ..settings(&listener) };
    let register = Register::connect_lazy(settings).unwrap();
    let start = Instant::now();
    assert_eq!(register.look_up_person(&by_cpr(CPR)).await.unwrap_err(), RegisterUnavailable);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_outage_is_reported_quickly_and_needs_no_restart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = RegisterSettings { deadline: Duration::from_secs(60), ..settings(&listener) };
    let register = Register::connect_lazy(settings).unwrap();
    let fake = FakeRegister::default();
    fake.state().people.insert(CPR.into(), person());
    drop(listener);

    for _ in 0..2 {
        test_support::log::start_collecting();
        let start = Instant::now();
        assert_eq!(register.look_up_person(&by_cpr(CPR)).await.unwrap_err(), RegisterUnavailable);
        assert!(start.elapsed() < Duration::from_secs(10), "it does not wait for the deadline");
        let log = test_support::log::take_log();
        assert!(log.contains("Connection refused"), "the log names the cause: {log}");

        let server = fake.serve(TcpListener::bind(address).await.unwrap());
        assert!(register.look_up_person(&by_cpr(CPR)).await.unwrap().is_some());
        server.stop().await;
    }
}

#[tokio::test]
async fn a_dead_connection_is_replaced_within_one_look_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap().to_string()).await;
    let (url, deadline) = (format!("http://{}", proxy.address()), Duration::from_secs(8));
    let register = Register::connect_lazy(RegisterSettings { url, deadline, ..settings(&listener) }).unwrap();
    let fake = FakeRegister::default();
    fake.state().people.insert(CPR.into(), person());
    let _server = fake.serve(listener);

    register.look_up_person(&by_cpr(CPR)).await.unwrap();
    proxy.silence();
    register.look_up_person(&by_cpr(CPR)).await.unwrap();
    assert_eq!(proxy.connections(), 2);
}

/// The handler takes longer than the connection may be silent: the call is made again, and the first answer counts.
#[tokio::test]
async fn a_slow_register_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deadline = Duration::from_secs(8);
    let register = Register::connect_lazy(RegisterSettings { deadline, ..settings(&listener) }).unwrap();
    let fake = FakeRegister::default();
    fake.state().people.insert(CPR.into(), person());
    fake.state().delay = Duration::from_secs(5);
    let _server = fake.serve(listener);

    let start = Instant::now();
    assert!(register.look_up_person(&by_cpr(CPR)).await.unwrap().is_some());
    assert!(start.elapsed() < deadline, "{:?}", start.elapsed());
    assert_eq!(fake.calls(), 2);
}

/// gRPC servers allow one PING in five minutes by default, and close the connection for more.
#[tokio::test]
async fn no_ping_is_sent_while_a_handler_takes_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = FakeRegister::default();
    let observer = FrameObserver::start(listener.local_addr().unwrap()).await;
    let settings = RegisterSettings { url: observer.url(), deadline: Duration::from_secs(4), ..settings(&listener) };
    let register = Register::connect_lazy(settings).unwrap();
    fake.state().people.insert(CPR.into(), person());
    fake.state().delay = Duration::from_millis(1900);
    let _server = fake.serve(listener);

    register.look_up_person(&by_cpr(CPR)).await.unwrap();
    assert!(observer.frames(HEADERS) > 0, "the observer sees the frames");
    assert_eq!(observer.frames(PING), 0);
}

#[tokio::test]
async fn the_register_receives_the_trace_context() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let world = World::new().await;
    let span = tracing::info_span!("a call");
    let trace_id = opentelemetry::trace::TraceContextExt::span(&span.context()).span_context().trace_id().to_string();
    world.look_up().instrument(span).await.unwrap();
    let state = world.fake.state();
    assert!(state.calls[0].get("traceparent").unwrap().to_str().unwrap().contains(&trace_id));
}

#[tokio::test]
async fn nothing_of_a_person_is_logged() {
    let world = World::new().await;
    test_support::log::start_collecting();
    world.look_up().await.unwrap();
    world.fake.state().failures.push_back(Status::internal(format!("nobody with {CPR}")));
    world.look_up().await.unwrap_err();
    world.fake.state().people.get_mut(CPR).unwrap().birth_date = "31-12-1960".into();
    world.look_up().await.unwrap_err();

    let log = test_support::log::take_log();
    assert!(log.contains("Internal") && log.contains("birth_date"), "the log names the failure");
    for secret in [CPR, MITID, "Nuuk", "20123456", "31-12-1960", "1960-01-01"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
