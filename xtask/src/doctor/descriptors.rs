//! How many files and sockets a program may have open at once.

use super::finding::{Finding, command, text};

/// As many as the tests with hundreds of clients need, in a test and in a server.
const ENOUGH: u64 = 1024;
/// Below this even a lesson with a few clients fails.
const FEW: u64 = 64;

pub fn look() -> Vec<Finding> {
    vec![judge(limit())]
}

#[cfg(unix)]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Windows counts handles, of which there are millions.
#[cfg(not(unix))]
fn limit() -> Option<u64> {
    None
}

fn judge(limit: Option<u64>) -> Finding {
    let Some(limit) = limit else {
        return Finding::ok(text("as many as there is memory for", "内存够用就没有限制"));
    };
    if limit >= ENOUGH {
        return Finding::ok(text(
            format!("{limit} files and sockets may be open at once (ulimit -n)"),
            format!("最多可同时打开 {limit} 个文件和套接字（ulimit -n）"),
        ));
    }
    let few = Finding::note(text(
        format!(
            "{limit} files and sockets at once (ulimit -n) are too few for tests with hundreds of clients"
        ),
        format!("最多可同时打开 {limit} 个文件和套接字（ulimit -n），不够运行有几百个客户端的测试"),
    ));
    let few = if limit >= FEW { few } else { Finding::problem(few.said) };
    few.or_try(command("ulimit -n 4096"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level::{self, Note, Ok, Problem};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::linux(Some(1024), Ok)]
    #[case::without_limit(None, Ok)]
    #[case::macos(Some(256), Note)]
    #[case::hardly_any(Some(20), Problem)]
    fn tests_need_more_than_lessons(#[case] limit: Option<u64>, #[case] level: Level) {
        let finding = judge(limit);
        assert_eq!(finding.level, level);
        assert_eq!(finding.tries.is_empty(), level == Ok);
    }
}
