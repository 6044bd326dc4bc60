//! A pool without a network: who runs, who waits, and what becomes of both at the end.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// A job that says its number when it begins, and then waits until `gate` is closed.
fn job(number: u32, begun: &Sender<u32>, gate: &Arc<Mutex<Receiver<()>>>) -> Job {
    let (begun, gate) = (begun.clone(), Arc::clone(gate));
    Box::new(move || {
        begun.send(number).unwrap();
        let _ = gate.lock().unwrap().recv();
    })
}

fn gate() -> (Sender<()>, Arc<Mutex<Receiver<()>>>) {
    let (open, opened) = mpsc::channel();
    (open, Arc::new(Mutex::new(opened)))
}

#[test]
fn who_comes_to_a_full_pool_waits_and_then_all_run_in_order() {
    let (open, gate) = gate();
    let (tell, begun) = mpsc::channel();
    let pool = Pool::start(1, 2, &Stop::new()).unwrap();
    let gauge = pool.gauge();
    thread::scope(|scope| {
        scope.spawn(|| (0..5).for_each(|number| pool.run(job(number, &tell, &gate))));
        assert!(gauge.wait_until_full(LIMIT));
        assert_eq!(begun.recv_timeout(LIMIT), Ok(0));
        assert!(begun.try_recv().is_err(), "there is one worker");
        drop(open);
        assert!((1..5).all(|number| begun.recv_timeout(LIMIT) == Ok(number)));
    });
}

#[test]
fn as_many_run_at_once_as_there_are_workers() {
    let (_open, gate) = gate();
    let (tell, begun) = mpsc::channel();
    let pool = Pool::start(3, 0, &Stop::new()).unwrap();
    (0..3).for_each(|number| pool.run(job(number, &tell, &gate)));
    let mut running: Vec<_> = (0..3).map(|_| begun.recv_timeout(LIMIT).unwrap()).collect();
    running.sort_unstable();
    assert_eq!(running, [0, 1, 2]);
}

#[test]
fn a_stop_lets_in_who_waits_for_a_place() {
    let (open, gate) = gate();
    let (tell, begun) = mpsc::channel();
    let stop = Stop::new();
    let pool = Pool::start(1, 0, &stop).unwrap();
    let gauge = pool.gauge();
    thread::scope(|scope| {
        let putting = scope.spawn(|| (0..2).for_each(|number| pool.run(job(number, &tell, &gate))));
        assert!(gauge.wait_until_full(LIMIT));
        stop.raise();
        // The gate is still closed: nothing but the stop can have made this end.
        putting.join().unwrap();
    });
    drop(open);
    assert_eq!((begun.recv_timeout(LIMIT), begun.recv_timeout(LIMIT)), (Ok(0), Ok(1)));
}

#[test]
fn what_was_taken_is_run_after_the_pool_is_dropped() {
    let (open, gate) = gate();
    let (tell, begun) = mpsc::channel();
    let pool = Pool::start(1, 9, &Stop::new()).unwrap();
    (0..10).for_each(|number| pool.run(job(number, &tell, &gate)));
    drop((pool, tell, open));
    // The channel is closed when the last job is done.
    assert_eq!(begun.iter().collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
}
