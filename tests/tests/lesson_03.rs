//! Lesson 3's exercises, graded over the wire. Each test is a check of `lesson.toml`.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

use graded::Exam;
use rstest::rstest;

mod receive {
    use super::*;

    use std::fs;
    use std::io::ErrorKind;
    use std::net::SocketAddr;
    use std::path::Path;
    use std::time::Duration;

    use graded::{Client, Difference};
    use netlab::program::poll;
    use tempfile::TempDir;

    /// Long enough that a server which answers too early has done so; a correct one is silent,
    /// however slow the machine.
    const A_MOMENT: Duration = Duration::from_millis(100);
    /// So much fits into one segment on every system's loopback, and into every buffer.
    const SHORT: usize = 500;
    const LARGE: usize = 64 * 1024 * 1024;
    /// As the task says, in bytes.
    const MAX_MEMORY: u64 = 32 * 1024 * 1024;

    /// A program that stores into a folder of its own.
    struct Store {
        exam: Exam,
        server: SocketAddr,
        folder: TempDir,
    }

    impl Store {
        fn open() -> Self {
            let exam = Exam::of("03", "receive");
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().to_str().unwrap();
            let server = exam.serve_at(&["--dir", dir], "127.0.0.1:0");
            Self { exam, server, folder }
        }

        fn connect(&self) -> Client {
            self.exam.connect(self.server)
        }

        /// A client that has sent everything ends; its file is there when it is told so.
        fn finish(&self, mut client: Client, content: &[u8], number: u32) {
            client.half_close();
            let words = format!("stored {} bytes as {number}.bin\n", content.len());
            client.expect_last_words(words.as_bytes());
            self.expect_file(number, content);
        }

        fn expect_file(&self, number: u32, content: &[u8]) {
            self.exam.step(format!("{number}.bin must hold what was sent"));
            match fs::read(self.folder.path().join(format!("{number}.bin"))) {
                Ok(stored) if stored == content => {}
                Ok(stored) => {
                    let what = format!("{number}.bin does not hold what was sent");
                    self.exam.fail(Difference::fail(what).with(content, &stored));
                }
                Err(error) => {
                    let what = format!("{number}.bin cannot be read: {error}");
                    self.exam.fail(Difference::fail(what));
                }
            }
        }

        /// Nothing that is called `K.bin` is there but the first `count` files.
        fn expect_no_more_than(&self, count: u32) {
            self.exam.step(format!("the folder must hold no file after number {count}"));
            let next = format!("{}.bin", count + 1);
            if self.folder.path().join(&next).exists() {
                self.exam.fail(Difference::fail(format!("{next} is there before it is complete")));
            }
        }

        /// The folder becomes empty.
        fn expect_nothing(&self) {
            self.exam.step("nothing may remain in the folder");
            let empty = || names_in(self.folder.path()).is_empty().then_some(());
            if poll(self.exam.patience(), empty).is_none() {
                let names = names_in(self.folder.path()).join(", ");
                self.exam.fail(Difference::fail(format!("the folder still holds {names}")));
            }
        }
    }

    /// A name may vanish while we look: then it is none.
    fn names_in(folder: &Path) -> Vec<String> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => panic!("cannot list {}: {error}", folder.display()),
        };
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[rstest]
    #[case::none(b"")]
    #[case::hello(b"hello")]
    #[case::zero_bytes(b"\0\0\0")]
    #[case::not_utf8(b"\xff\xfe \xc3\x28")]
    #[case::newlines_and_blanks(b" one\r\ntwo\n\n ")]
    fn any_bytes_arrive_unchanged(#[case] content: &[u8]) {
        let store = Store::open();
        let any = store.exam.random_bytes(SHORT);
        for (number, content) in [(1, content), (2, &any)] {
            let mut client = store.connect();
            client.send(content);
            store.finish(client, content, number);
        }
    }

    #[rstest]
    #[case::one_byte_at_a_time(1)]
    #[case::a_few_bytes_at_a_time(7)]
    #[case::many_bytes_at_a_time(5000)]
    fn a_file_lasts_until_the_half_close(#[case] piece: usize) {
        let store = Store::open();
        let content = store.exam.random_bytes(store.exam.random_length(6_000, 9_000));
        let (beginning, rest) = content.split_at(3);
        let mut client = store.connect();
        client.send_in_pieces(beginning, piece);
        client.expect_silence(A_MOMENT);
        store.expect_no_more_than(0);
        client.send_in_pieces(rest, piece);
        client.expect_silence(A_MOMENT);
        store.finish(client, &content, 1);
    }

    #[rstest]
    fn files_are_numbered_as_they_become_complete() {
        let store = Store::open();
        let mut clients: Vec<Client> = (0..5).map(|_| store.connect()).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(format!("the beginning of {number}, ").as_bytes());
        }
        clients[0].expect_silence(A_MOMENT);
        store.expect_no_more_than(0);
        for (number, (begun, mut client)) in (1..).zip(clients.into_iter().enumerate().rev()) {
            client.send(b"the end");
            let content = format!("the beginning of {begun}, the end");
            store.finish(client, content.as_bytes(), number);
            store.expect_no_more_than(number);
        }
    }

    #[rstest]
    #[case::of_a_few_bytes(SHORT)]
    #[case::of_many(300_000)]
    fn a_reset_leaves_nothing(#[case] length: usize) {
        let store = Store::open();
        let mut client = store.connect();
        client.send(&vec![b'x'; length]);
        // By now the server has received something, and has begun a file in its own way.
        client.expect_silence(A_MOMENT);
        client.reset();
        store.expect_nothing();
        let mut next = store.connect();
        next.send(b"still here?");
        store.finish(next, b"still here?", 1);
    }

    #[rstest]
    fn a_silent_client_blocks_nobody() {
        let store = Store::open();
        let silent = store.connect();
        let mut other = store.connect();
        other.send(b"me first");
        store.finish(other, b"me first", 1);
        store.finish(silent, b"", 2);
    }

    #[rstest]
    fn a_large_file_takes_little_memory() {
        let store = Store::open();
        let mebibyte = store.exam.random_bytes(1024 * 1024);
        let content = mebibyte.repeat(LARGE / mebibyte.len());
        let mut client = store.connect();
        client.send(&content);
        store.finish(client, &content, 1);
        store.exam.step(format!("your program may hold at most {MAX_MEMORY} bytes of memory"));
        if let Some(peak) = store.exam.peak_memory().filter(|peak| *peak > MAX_MEMORY) {
            let what = format!("your program has held {peak} bytes of memory");
            store.exam.fail(Difference::fail(what));
        }
    }
}
