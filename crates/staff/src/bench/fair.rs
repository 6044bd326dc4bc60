//! Two uploads at once through one bottleneck: do they share it, fill it, and not flood it?

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use netlab::conditions::{Conditions, Path as Way};
use netlab::faults::Direction;
use netlab::record::{Event, Happening, Recorder, Transport};
use netlab::relay::Relay;
use netlab::shape::Shape;

use super::comparison::{self, Candidate, Comparison, Measure, Sample};
use super::payload;
use super::report::{Kind, Memory};
use super::transfer::{Cargo, LIMIT, check, check_time, finish, wait_until_ready};
use super::udp::UdpWorkload;
use super::udp_pairs::Pair;

const BITS_PER_SECOND: u64 = 100_000_000;
const DELAY: Duration = Duration::from_millis(10);
/// For either: both together need about ten seconds.
const FILE_BYTES: u64 = 60 << 20;
const QUICK_BYTES: u64 = 1 << 20;
/// How exactly it is noticed that one of them has ended.
const TICK: Duration = Duration::from_millis(2);

const MEASURES: [Measure; 3] = [
    Measure { name: "share of the smaller of the two", unit: "%", higher_is_better: true },
    Measure { name: "use of the bottleneck, in bytes of files", unit: "%", higher_is_better: true },
    Measure { name: "lost to the full queue", unit: "%", higher_is_better: false },
];

pub fn run(workload: &UdpWorkload<'_>) -> Result<Comparison> {
    let bytes = if workload.setup.quick { QUICK_BYTES } else { FILE_BYTES };
    let file = workload.setup.path("shared");
    payload::write(&file, bytes)?;
    // As everybody starts it: no size of a datagram, no window.
    let lesson = Pair::Lesson { program: &workload.lesson, datagram: None };
    let ours = |_: &[PathBuf]| share(workload, &lesson, &file, bytes);
    let mut candidates = vec![Candidate::new("lesson 5", Kind::Ours, &[], ours)];
    let file = file.as_path();
    candidates.extend(workload.quinn(move |workload, pair, _| share(workload, pair, file, bytes)));
    let title = "two uploads share 100 Mbit/s, 10 ms each way";
    comparison::run_rounds(workload.setup, title, &MEASURES, &candidates)
}

/// Two clients, one server, and one relay before it.
fn share(workload: &UdpWorkload<'_>, pair: &Pair<'_>, file: &Path, bytes: u64) -> Result<Sample> {
    let inbox = workload.setup.empty_folder("inbox")?;
    let receiver = pair.receiver(&inbox)?;
    let mut server = receiver.launch.start()?;
    let address = wait_until_ready(&mut server, receiver.ready)?;
    let arrived = Arrived::default();
    let recorder: Box<dyn Recorder> = Box::new(arrived.clone());
    let relay = Relay::start(Transport::Udp, address, network(), Some(recorder))?;
    let start = || pair.client(relay.address(), file, &inbox).start();
    let (mut one, mut two) = (start()?, start()?);
    let until = one.started() + LIMIT;
    // The share counts as long as both are at it.
    while one.ends(TICK).is_none() && two.ends(TICK).is_none() {
        check_time(until, "either upload ended", &one)?;
    }
    let smaller = arrived.share_of_the_smaller().context("only one of the two sent anything")?;
    let started = one.started();
    let (one, two) = (finish("one", &mut one, until)?, finish("the other", &mut two, until)?);
    let took = one.at.max(two.at) - started;
    let counts = relay.counts().to_server;
    let server = server.kill().map(|ended| ended.peak_memory);
    check(Cargo { file, inbox: &inbox, files: 2 })?;
    let memory = Memory { server, client: Some(one.peak_memory.max(two.peak_memory)) };
    let used = percent(2 * bytes * 8, BITS_PER_SECOND) / took.as_secs_f64();
    Ok(Sample { values: vec![smaller, used, percent(counts.queue_full, counts.pieces_in)], memory })
}

fn network() -> Conditions {
    let delay = Way { shape: Shape { delay: DELAY, ..Shape::default() }, ..Way::default() };
    let shape = Shape { rate: Some(BITS_PER_SECOND), ..delay.shape.clone() };
    let bottleneck = Way { shape, ..Way::default() };
    Conditions { to_server: bottleneck, to_client: delay, ..Conditions::default() }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage with a few digits")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// How many bytes of each client the relay has let through.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<HashMap<u32, u64>>>);

impl Recorder for Arrived {
    fn record(&mut self, event: &Event) {
        if let (Direction::ToServer, Happening::Delivered { payload, .. }) =
            (event.direction, &event.happening)
        {
            let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *bytes.entry(event.connection.number).or_default() += payload.len() as u64;
        }
    }
}

impl Arrived {
    /// In percent of both; 50 is fair.
    fn share_of_the_smaller(&self) -> Option<f64> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (least, all) = (bytes.values().min()?, bytes.values().sum());
        (bytes.len() == 2).then(|| percent(*least, all))
    }
}
