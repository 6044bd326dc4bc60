use super::*;

const MS: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_millis(100);

/// A flight of `count` blocks, one each millisecond.
fn flight(count: u32) -> (Flight, Instant) {
    let (mut flight, start) = (Flight::new(), Instant::now());
    for block in 0..count {
        assert_eq!(flight.send(block, start + block * MS), block + 1);
    }
    (flight, start)
}

/// An ack of some blocks out of order.
fn ack(first_missing: u32, largest_acked: u32, blocks: &[u32]) -> Ack {
    let mut arrived = vec![0; 8];
    for block in blocks {
        let bit = *block as usize;
        arrived[bit / 8] |= 1 << (bit % 8);
    }
    Ack { first_missing, largest_acked, window: 100, arrived }
}

#[test]
fn three_that_were_sent_later_prove_a_loss_and_two_do_not() {
    let (mut flight, start) = flight(6);
    let now = start + 10 * MS;
    flight.acknowledge(&ack(1, 4, &[2, 3]), now).unwrap();
    assert_eq!(flight.find_losses(now, PATIENCE), 0);
    let news = flight.acknowledge(&ack(1, 5, &[2, 3, 4]), now).unwrap();
    assert_eq!(news, News { arrived: 1, round_trip: Some(6 * MS) });
    assert_eq!(flight.find_losses(now, PATIENCE), 1);
    assert_eq!(flight.blocks.first_lost(), Some(1));
    assert_eq!(flight.blocks.flying(), 1, "block 5");
}

#[test]
fn a_retransmission_that_is_lost_too_is_noticed_by_its_own_number() {
    let (mut flight, start) = flight(5);
    flight.acknowledge(&ack(1, 5, &[2, 3, 4]), start + 10 * MS).unwrap();
    assert_eq!(flight.find_losses(start + 10 * MS, PATIENCE), 1);
    assert_eq!(flight.send(1, start + 11 * MS), 6);
    for block in 5..8 {
        flight.send(block, start + 12 * MS);
    }
    flight.acknowledge(&ack(1, 9, &[2, 3, 4, 5, 6, 7]), start + 20 * MS).unwrap();
    assert_eq!(flight.find_losses(start + 20 * MS, PATIENCE), 1);
    assert_eq!(flight.blocks.first_lost(), Some(1));
}

#[test]
fn one_that_was_sent_later_and_time_prove_a_loss() {
    let (mut flight, start) = flight(2);
    assert_eq!(flight.next_loss(PATIENCE), None);
    flight.acknowledge(&ack(0, 2, &[1]), start + 20 * MS).unwrap();
    assert_eq!(flight.next_loss(PATIENCE), Some(start + PATIENCE));
    assert_eq!(flight.find_losses(start + 99 * MS, PATIENCE), 0);
    assert_eq!(flight.find_losses(start + PATIENCE, PATIENCE), 1);
}

#[test]
fn who_was_only_late_makes_us_more_patient() {
    let (mut flight, start) = flight(5);
    flight.acknowledge(&ack(0, 5, &[1, 2, 3, 4]), start).unwrap();
    assert_eq!(flight.find_losses(start, PATIENCE), 1);
    flight.send(0, start);
    // Its first transmission arrives after all: the second, number 6, is still on its way.
    flight.acknowledge(&ack(5, 5, &[]), start).unwrap();
    assert_eq!(flight.blocks.flying(), 0);
    for block in 5..12 {
        flight.send(block, start);
    }
    // Transmissions 8 to 12 have overtaken 7: five are no proof any more, six would be.
    flight.acknowledge(&ack(5, 12, &[6, 7, 8, 9, 10]), start).unwrap();
    assert_eq!(flight.find_losses(start, PATIENCE), 0);
    flight.acknowledge(&ack(5, 13, &[6, 7, 8, 9, 10, 11]), start).unwrap();
    assert_eq!(flight.find_losses(start, PATIENCE), 1);
}

#[test]
fn what_was_never_sent_cannot_be_acknowledged() {
    let (mut flight, start) = flight(3);
    assert_eq!(flight.acknowledge(&ack(4, 3, &[]), start), None);
    assert_eq!(flight.acknowledge(&ack(0, 4, &[]), start), None);
    assert_eq!(flight.blocks.flying(), 3);
}

#[test]
fn a_flood_of_old_acknowledgements_changes_nothing() {
    let (mut flight, start) = flight(10);
    flight.acknowledge(&ack(5, 10, &[6, 8]), start).unwrap();
    let before = (flight.blocks.first(), flight.blocks.flying());
    for largest_acked in (0..=10).chain(0..=10) {
        let news = flight.acknowledge(&ack(0, largest_acked, &[1, 2]), start).unwrap();
        assert_eq!(news, News::default());
    }
    assert_eq!((flight.blocks.first(), flight.blocks.flying()), before);
}

#[test]
fn giving_up_takes_the_first_block_for_lost_and_then_all() {
    let (mut flight, start) = flight(4);
    flight.acknowledge(&ack(1, 3, &[2]), start).unwrap();
    flight.give_up(false);
    assert_eq!((flight.blocks.first_lost(), flight.blocks.flying()), (Some(1), 1));
    flight.give_up(true);
    assert_eq!(flight.blocks.flying(), 0);
    assert_eq!(flight.blocks.arrive(2), None, "it had arrived, and is not sent again");
}
