//! Captures as tshark reads them, which nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use netlab::faults::Fate;
use netlab::pcapng::Capture;
use netlab::peers::{run, trial};
use netlab::record::{Happening, Transport};

mod stories;

use stories::{DOWN, Story, UP, connection, streams, tcp, troubles, udp};

fn main() -> ExitCode {
    run(vec![
        trial("tshark", "every_packet_is_whole_and_its_checksums_are_right", every_packet_is_whole),
        trial("tshark", "a_damaged_capture_would_be_noticed", a_damaged_capture_would_be_noticed),
        trial("tshark", "a_stream_gives_back_the_uploaded_file", a_stream_gives_back_the_file),
        trial("tshark", "datagrams_give_back_the_uploaded_file", datagrams_give_back_the_file),
        trial("tshark", "what_was_lost_is_on_an_interface_of_its_own", what_was_lost_is_apart),
        trial("tshark", "connections_open_end_and_are_refused", connections_open_end_and_refuse),
        trial("tshark", "times_are_those_of_the_run", times_are_those_of_the_run),
    ])
}

/// A capture in a folder that is gone when this is dropped.
struct OnDisk {
    folder: tempfile::TempDir,
}

impl OnDisk {
    fn write(story: &Story) -> Self {
        let on_disk = Self { folder: tempfile::tempdir().unwrap() };
        let file = BufWriter::new(File::create(on_disk.file()).unwrap());
        story.told_to(Capture::new(file).unwrap()).finish().unwrap();
        on_disk
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("run.pcapng")
    }

    /// What tshark prints, with every checksum looked at.
    fn tshark(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(self.file());
        for protocol in ["ip", "tcp", "udp"] {
            command.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
        }
        let output = command.args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        assert!(!error.contains("cut short") && !error.contains("damaged"), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// How many packets each of the filters lets pass. Starting tshark takes longer than reading a
    /// capture, so one of them counts for all.
    fn count<const FILTERS: usize>(&self, filters: [&str; FILTERS]) -> [usize; FILTERS] {
        let table = self.tshark(&["-q", "-z", &format!("io,stat,0,{}", filters.join(","))]);
        // `| 0.0 <> 0.3 |    116 |  60512 |      0 |      0 |`: packets and bytes of each filter.
        let row = table.lines().find(|line| line.contains("<>") && !line.contains("Interval"));
        let numbers: Vec<_> = row.unwrap_or_default().split('|').map(str::trim).collect();
        std::array::from_fn(|filter| {
            match numbers.get(2 + 2 * filter).map(|number| number.parse()) {
                Some(Ok(count)) => count,
                _ => panic!("no count of `{}` in:\n{table}", filters[filter]),
            }
        })
    }

    /// One line for each packet that the filter lets pass.
    fn packets(&self, filter: &str) -> Vec<String> {
        self.tshark(&["-Y", filter]).lines().map(String::from).collect()
    }
}

/// What tshark has to say against a packet. A reset is worth a warning to it, and is not our
/// fault; nor is it that a port is used again.
const COMPLAINTS: &str = "_ws.malformed || tcp.analysis.flags || ip.checksum.status == 0 \
    || tcp.checksum.status == 0 || udp.checksum.status == 0 \
    || (_ws.expert.severity >= 0x600000 && !(tcp.flags.reset == 1))";

fn every_packet_is_whole() {
    for story in [everything(), streams(), troubles(), upload()] {
        let capture = OnDisk::write(&story);
        let good = "(ipv6 || ip.checksum.status == 1) \
            && (tcp.checksum.status == 1 || udp.checksum.status == 1)";
        let [all, bad, good] = capture.count(["frame", COMPLAINTS, good]);
        assert_eq!(bad, 0, "{:?}", capture.packets(COMPLAINTS));
        assert!(all >= 10, "{all}");
        assert_eq!(good, all);
    }
}

/// Both kinds of address, the largest and the smallest payloads, several connections at once.
fn everything() -> Story {
    let mut story = Story::default();
    let v6 = |number, transport| connection(number, transport, "::1");
    let mixed = {
        let mut mixed = v6(7, Transport::Udp);
        mixed.client = ([127, 0, 0, 1], 50_007).into();
        mixed
    };
    let streams = [tcp(0), v6(1, Transport::Tcp), tcp(2)];
    for stream in streams {
        story.happens(stream, UP, Happening::Opened);
    }
    for size in [1, 1459, 1460, 1461, 65_536, 1_000_000] {
        for stream in streams {
            story.passes(stream, UP, &vec![7; size]);
            story.passes(stream, DOWN, &vec![8; size / 2 + 1]);
        }
    }
    for client in [udp(5), v6(6, Transport::Udp), mixed] {
        for size in [0, 1, 2, 1400, 65_507] {
            story.passes(client, UP, &vec![0xff; size]);
            story.passes(client, DOWN, &vec![0; size]);
        }
    }
    story.happens(tcp(0), DOWN, Happening::Ended);
    story.passes(tcp(0), UP, b"half closed");
    story.happens(tcp(0), UP, Happening::Ended);
    story.happens(streams[1], UP, Happening::Reset);
    story.happens(tcp(8), UP, Happening::Refused);
    // What comes after the end is no packet: there is no connection any more.
    story.passes(tcp(0), UP, b"too late");
    story.happens(streams[1], DOWN, Happening::Ended);
    story.happens(tcp(0), DOWN, Happening::Reset);
    story
}

fn a_damaged_capture_would_be_noticed() {
    let mut story = Story::default();
    story.passes(udp(0), UP, b"a text that is known");
    // Without a duration nothing is counted.
    story.wait(1);
    story.passes(udp(0), UP, b"another one");
    let capture = OnDisk::write(&story);
    assert_eq!(capture.count([COMPLAINTS]), [0]);
    let mut bytes = fs::read(capture.file()).unwrap();
    let place = bytes.windows(4).position(|four| four == b"text").unwrap();
    bytes[place] ^= 1;
    fs::write(capture.file(), bytes).unwrap();
    assert_eq!(capture.count([COMPLAINTS]), [1]);
}

/// 100 KB without a pattern (each number's square, its middle byte).
fn file() -> Vec<u8> {
    (0..100_000_u32)
        .map(|n| n.wrapping_mul(n).wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect()
}

/// A file in pieces, as a relay reads them.
fn upload() -> Story {
    let mut story = Story::default();
    story.happens(tcp(0), UP, Happening::Opened);
    file().chunks(65_536).for_each(|piece| story.passes(tcp(0), UP, piece));
    story.happens(tcp(0), UP, Happening::Ended);
    story.passes(tcp(0), DOWN, b"thank you");
    story.happens(tcp(0), DOWN, Happening::Ended);
    story
}

/// What `-z follow,…,raw` prints: lines of hex, those of the second speaker after a tab.
fn first_speaker(followed: &str) -> Vec<u8> {
    let is_hex = |line: &&str| !line.is_empty() && line.bytes().all(|b| b.is_ascii_hexdigit());
    let hex: String = followed.lines().filter(is_hex).collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn a_stream_gives_back_the_file() {
    let followed = OnDisk::write(&upload()).tshark(&["-q", "-z", "follow,tcp,raw,0"]);
    assert!(first_speaker(&followed) == file(), "{followed:.300}");
    assert!(followed.contains("\t7468616e6b20796f75"), "{followed:.300}");
}

/// The tutorial's upload: datagrams, and then a keyword.
fn datagrams_give_back_the_file() {
    let mut story = Story::default();
    story.happens(udp(0), UP, Happening::Opened);
    file().chunks(1200).for_each(|datagram| story.passes(udp(0), UP, datagram));
    story.passes(udp(0), UP, b"END");
    let followed = OnDisk::write(&story).tshark(&["-q", "-z", "follow,udp,raw,0"]);
    assert!(first_speaker(&followed) == [file(), b"END".to_vec()].concat(), "{followed:.300}");
}

fn what_was_lost_is_apart() {
    let capture = OnDisk::write(&troubles());
    let fields = ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"];
    let packets = capture.tshark(&fields);
    let count = |line: &str| packets.lines().filter(|found| found.trim_end() == line).count();
    assert_eq!(count("delivered"), 6, "{packets}");
    assert_eq!(count("delivered\tdatagram #2 arrives again"), 1, "{packets}");
    assert_eq!(count("delivered\tdatagram #3 arrives late"), 1, "{packets}");
    let damaged = "delivered\tdatagram #1 arrives damaged: byte 3 was 04 and is 05";
    assert_eq!(count(damaged), 1, "{packets}");
    let lost = "lost\tdatagram #1 did not arrive: the laboratory lost it";
    assert_eq!(count(lost), 1, "{packets}");
    let lost: Vec<_> = packets.lines().filter(|line| line.starts_with("lost\t")).collect();
    assert_eq!(lost.len(), 4, "{packets}");
    // The filter of the module's documentation.
    let delivered = capture.tshark(&["-2", "-R", "frame.interface_id == 0"]);
    assert_eq!(delivered.lines().count(), packets.lines().count() - lost.len());
}

fn connections_open_end_and_refuse() {
    let mut story = Story::default();
    story.happens(tcp(0), UP, Happening::Opened);
    story.passes(tcp(0), UP, b"hello");
    story.happens(tcp(0), UP, Happening::Ended);
    story.happens(tcp(0), DOWN, Happening::Ended);
    story.happens(tcp(1), UP, Happening::Refused);
    story.happens(tcp(2), UP, Happening::Opened);
    story.happens(tcp(2), DOWN, Happening::Reset);
    let fields = ["-T", "fields", "-e", "tcp.stream", "-e", "tcp.flags.str"];
    let packets = OnDisk::write(&story).tshark(&fields);
    let flags = |stream: &str| -> Vec<String> {
        let of_stream = packets.lines().filter_map(|line| line.split_once('\t'));
        let letters = |flags: &str| flags.chars().filter(char::is_ascii_alphabetic).collect();
        of_stream.filter(|(its, _)| *its == stream).map(|(_, flags)| letters(flags)).collect()
    };
    let whole = ["S", "AS", "A", "AP", "A", "AF", "A", "AF", "A"];
    assert_eq!(flags("0"), whole);
    assert_eq!(flags("1"), ["S", "AR"]);
    assert_eq!(flags("2"), ["S", "AS", "A", "AR"]);
    assert_eq!(packets.lines().count(), whole.len() + 2 + 4);
}

fn times_are_those_of_the_run() {
    let mut story = Story::default();
    story.passes(udp(0), UP, b"first");
    story.wait(1500);
    let late = story.sends(udp(0), UP, b"late", Fate::Pass);
    story.arrives(udp(0), UP, late, b"late");
    let fields = ["-T", "fields", "-e", "frame.time_relative"];
    let times = OnDisk::write(&story).tshark(&fields);
    assert_eq!(times.lines().collect::<Vec<_>>(), ["0.000000000", "1.501000000"]);
}
