//! Lesson 5's exercises, graded over the wire. Each test is a check of its exercise's file.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use graded::{Case, Difference, Sender};
use rstest::rstest;
use tempfile::TempDir;

mod blocks;
mod stopwait;
mod window;

mod keyword {
    use super::*;

    /// The program with an empty folder. What is sent without waiting for an answer stays far
    /// below what every system keeps for a socket that nobody reads just now.
    struct Scene {
        case: Case,
        server: SocketAddr,
        dir: TempDir,
    }

    impl Scene {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
            let case = Case::of("05", "keyword");
            let server = case.serve_at(&["--dir", utf8(dir.path())], "127.0.0.1:0");
            Self { case, server, dir }
        }

        fn sender(&self) -> Sender {
            self.case.sender(self.server)
        }

        /// One piece of a file for each size, of random bytes.
        fn pieces(&self, sizes: &[usize]) -> Vec<Vec<u8>> {
            sizes.iter().map(|&size| self.case.random_bytes(size)).collect()
        }

        /// Expects that the folder shows the files 1.bin, 2.bin, … with these contents, no others.
        fn expect_files<C: AsRef<[u8]>>(&self, contents: &[C]) {
            let expected: Vec<String> = (1..=contents.len()).map(|k| format!("{k}.bin")).collect();
            self.case.step(format!("look into DIR for {}", listed(&expected)));
            let names = self.names();
            if names != expected {
                self.case.fail(Difference::fail(format!(
                    "DIR should hold {}, but it holds {}",
                    listed(&expected),
                    listed(&names)
                )));
            }
            for (name, content) in expected.iter().zip(contents) {
                let got = fs::read(self.dir.path().join(name)).unwrap_or_default();
                if got != content.as_ref() {
                    let what = format!("{name} is not what was sent");
                    self.case.fail(Difference::fail(what).with(content.as_ref(), &got));
                }
            }
        }

        fn expect_no_file(&self) {
            self.expect_files::<&[u8]>(&[]);
        }

        /// The names of all `*.bin` in the folder, in order.
        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.dir.path())
                .unwrap_or_else(|error| panic!("cannot look into the folder: {error}"));
            let mut names: Vec<String> = entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.extension() == Some("bin".as_ref()))
                .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                .collect();
            names.sort();
            names
        }
    }

    fn listed(names: &[String]) -> String {
        if names.is_empty() { "no *.bin".to_owned() } else { names.join(", ") }
    }

    fn utf8(path: &Path) -> &str {
        path.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", path.display()))
    }

    fn data(bytes: &[u8]) -> Vec<u8> {
        [b"D", bytes].concat()
    }

    fn end(length: usize) -> Vec<u8> {
        [b"E".as_slice(), &(length as u64).to_be_bytes()].concat()
    }

    fn send_pieces(sender: &Sender, pieces: &[Vec<u8>]) {
        for piece in pieces {
            sender.send(&data(piece));
        }
    }

    /// Ends an upload of `length` bytes that becomes file number `k`.
    fn finish(sender: &Sender, length: usize, k: usize) {
        sender.send(&end(length));
        sender.expect(format!("stored {length} bytes as {k}.bin").as_bytes());
    }

    #[rstest]
    #[case::of_one_datagram(&[5])]
    #[case::of_some_datagrams(&[700, 1024, 1, 512, 1000])]
    #[case::of_a_large_datagram(&[9_000])]
    #[case::of_no_bytes(&[])]
    fn an_upload_is_stored_and_confirmed(#[case] sizes: &[usize]) {
        let scene = Scene::new();
        let pieces = scene.pieces(sizes);
        let sender = scene.sender();
        send_pieces(&sender, &pieces);
        let content = pieces.concat();
        finish(&sender, content.len(), 1);
        scene.expect_files(&[content]);
    }

    #[rstest]
    fn one_sender_uploads_again_and_again() {
        let scene = Scene::new();
        let sender = scene.sender();
        let mut contents: Vec<Vec<u8>> = Vec::new();
        for sizes in [[300, 20], [10, 7], [700, 30]] {
            let pieces = scene.pieces(&sizes);
            send_pieces(&sender, &pieces);
            let content = pieces.concat();
            finish(&sender, content.len(), contents.len() + 1);
            contents.push(content);
        }
        scene.expect_files(&contents);
    }

    #[rstest]
    #[case::the_keyword_of_the_tutorial(b"END")]
    #[case::the_letter_of_an_end(b"E")]
    #[case::a_whole_end(b"E\0\0\0\0\0\0\x01\x90")]
    #[case::as_long_as_an_end(b"12345678")]
    #[case::the_letter_of_data(b"D")]
    #[case::text_with_newlines(b"\r\nEND\r\n")]
    #[case::nothing(b"")]
    fn data_may_be_any_bytes(#[case] piece: &[u8]) {
        let scene = Scene::new();
        let pieces = [scene.case.random_bytes(400), piece.to_vec(), scene.case.random_bytes(20)];
        let sender = scene.sender();
        send_pieces(&sender, &pieces);
        let content = pieces.concat();
        finish(&sender, content.len(), 1);
        scene.expect_files(&[content]);
    }

    /// How often each of the datagrams arrives.
    #[rstest]
    #[case::the_first_is_lost([0, 1, 1, 1])]
    #[case::one_in_the_middle_is_lost([1, 1, 0, 1])]
    #[case::the_last_is_lost([1, 1, 1, 0])]
    #[case::all_are_lost([0, 0, 0, 0])]
    #[case::one_comes_twice([1, 2, 1, 1])]
    fn what_is_lost_or_repeated_is_noticed(#[case] arrivals: [usize; 4]) {
        let scene = Scene::new();
        let pieces = scene.pieces(&[500, 301, 44, 210]);
        let sender = scene.sender();
        let mut came = 0;
        for (piece, times) in pieces.iter().zip(arrivals) {
            if times == 0 {
                scene.case.step(format!("the network loses a datagram of {}", 1 + piece.len()));
            }
            for _ in 0..times {
                sender.send(&data(piece));
                came += piece.len();
            }
        }
        let content = pieces.concat();
        let length = content.len();
        sender.send(&end(length));
        sender.expect(format!("incomplete: {came} of {length} bytes came").as_bytes());
        scene.expect_no_file();
        // The second try begins from nothing.
        send_pieces(&sender, &pieces);
        finish(&sender, length, 1);
        scene.expect_files(&[content]);
    }

    #[rstest]
    #[case::an_empty_datagram(b"")]
    #[case::an_unknown_letter(b"X 2345678")]
    #[case::a_small_letter(b"dabc")]
    #[case::the_keyword_of_the_tutorial(b"END")]
    #[case::an_end_without_a_length(b"E")]
    #[case::an_end_that_is_too_short(b"E\0\0\0\0\0\x02\x99")]
    #[case::an_end_that_is_too_long(b"E\0\0\0\0\0\0\x02\x99\0")]
    fn what_is_not_understood_changes_nothing(#[case] datagram: &[u8]) {
        let scene = Scene::new();
        let pieces = scene.pieces(&[600, 65]);
        let sender = scene.sender();
        sender.send(&data(&pieces[0]));
        sender.send(datagram);
        sender.expect(b"not understood");
        // By now the data has been taken, too.
        scene.expect_no_file();
        sender.send(&data(&pieces[1]));
        let content = pieces.concat();
        finish(&sender, content.len(), 1);
        scene.expect_files(&[content]);
    }

    #[rstest]
    #[case::two(2)]
    #[case::seven(7)]
    fn senders_do_not_mix(#[case] count: usize) {
        let scene = Scene::new();
        let senders: Vec<_> = (0..count).map(|_| scene.sender()).collect();
        let files: Vec<_> = (0..count).map(|n| scene.pieces(&[100 + n, 50, 90 - n])).collect();
        for round in 0..3 {
            for (sender, pieces) in senders.iter().zip(&files) {
                sender.send(&data(&pieces[round]));
            }
        }
        // Who began last ends first: the numbers follow the ends.
        let mut contents: Vec<Vec<u8>> = Vec::new();
        for (sender, pieces) in senders.iter().zip(&files).rev() {
            let content = pieces.concat();
            finish(sender, content.len(), contents.len() + 1);
            contents.push(content);
        }
        scene.expect_files(&contents);
    }
}
