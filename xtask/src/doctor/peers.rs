//! Which programs that nobody here wrote are at hand: tests let the course talk to them, and are
//! counted as ignored where they are missing.

use std::env::{self, consts::OS};
use std::path::Path;
use std::process::Command;

use super::finding::{Finding, command, text};
use super::output_of;

/// A program, the tests that need it, and the package that has it where apt(8) and brew(1) install.
struct Peer {
    name: &'static str,
    tests: &'static str,
    apt: &'static str,
    /// Empty: macOS has it, or nobody has it there.
    brew: &'static str,
}

const fn peer(
    name: &'static str,
    tests: &'static str,
    apt: &'static str,
    brew: &'static str,
) -> Peer {
    Peer { name, tests, apt, brew }
}

/// A test below compares them with the tests.
const PEERS: &[Peer] = &[
    peer("nc", "02-10", "netcat-openbsd", ""),
    peer("socat", "02-07, 09", "socat", "socat"),
    peer("python3", "02-10", "python3", "python"),
    peer("curl", "02, 08, 09", "curl", ""),
    peer("wget", "08", "wget", "wget"),
    peer("wrk", "08", "wrk", "wrk"),
    peer("openssl", "08", "openssl", ""),
    peer("ping", "10", "iputils-ping", ""),
    peer("tcpdump", "10", "tcpdump", ""),
    peer("hexdump", "10", "bsdextrautils", ""),
    peer("xxd", "10", "xxd", ""),
    peer("od", "10", "coreutils", ""),
    peer("script", "08, 09", "bsdutils", ""),
    peer("tshark", "netlab", "tshark", "wireshark"),
    peer("tmux", "xtask", "tmux", "tmux"),
    peer("xmllint", "grader", "libxml2-utils", ""),
];

/// With these, tests make themselves networks of their own, or let system calls fail; only Linux has
/// them.
const OF_LINUX: &[Peer] = &[
    peer("ip", "07, 09, 10", "iproute2", ""),
    peer("unshare", "03, 07, 09, 10", "util-linux", ""),
    peer("strace", "03", "strace", ""),
];

pub fn look() -> Vec<Finding> {
    let wanted = || PEERS.iter().chain(OF_LINUX.iter().filter(|_| OS == "linux"));
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there =
        |name: &str| env::split_paths(&path).any(|folder| is_program(&folder.join(name)));
    let missing: Vec<&Peer> = wanted().filter(|peer| !is_there(peer.name)).collect();
    let all: Vec<&str> = wanted().map(|peer| peer.name).collect();
    let mut found = vec![judge(&all, &missing, OS)];
    if is_there("nc") {
        found.extend(judge_nc(&output_of(Command::new("nc").arg("-h")).unwrap_or_default()));
    }
    if OS == "linux" && is_there("unshare") {
        let namespace = ["--user", "--map-root-user", "--net", "true"];
        let said = output_of(Command::new("unshare").args(namespace));
        found.extend(judge_namespace(said.as_deref()));
    }
    found
}

fn is_program(file: &Path) -> bool {
    file.is_file() || file.with_extension(env::consts::EXE_EXTENSION).is_file()
}

fn judge(all: &[&str], missing: &[&Peer], os: &str) -> Finding {
    if missing.is_empty() {
        let all = all.join(", ");
        return Finding::ok(text(
            format!("all that tests talk to are here: {all}"),
            format!("测试要用到的都有：{all}"),
        ));
    }
    let list = |separator: &str| {
        let one = |peer: &&Peer| format!("{} ({})", peer.name, peer.tests);
        missing.iter().map(one).collect::<Vec<_>>().join(separator)
    };
    let finding = Finding::note(text(
        format!("not here, so tests of these lessons and packages are left out: {}", list(", ")),
        format!("缺少下列程序，相应课程或软件包的部分测试会被略过：{}", list("、")),
    ));
    let packages = |of: fn(&Peer) -> &'static str| {
        let names = missing.iter().map(|peer| of(peer)).filter(|name| !name.is_empty());
        names.collect::<Vec<_>>().join(" ")
    };
    match os {
        "linux" => finding.or_try(text(
            format!("sudo apt-get install {} (Debian, Ubuntu)", packages(|peer| peer.apt)),
            format!("sudo apt-get install {}（Debian、Ubuntu）", packages(|peer| peer.apt)),
        )),
        "macos" if !packages(|peer| peer.brew).is_empty() => finding.or_try(text(
            format!("brew install {}", packages(|peer| peer.brew)),
            format!("brew install {}", packages(|peer| peer.brew)),
        )),
        "windows" => finding.or_try(text(
            "the course works without them; Linux inside of Windows (WSL) has them all",
            "没有它们也能学习本课程；Windows 里的 Linux（WSL）都有",
        )),
        _ => finding,
    }
}

/// Of the programs called nc, tests use the one from OpenBSD, whose `-N` half-closes at the end of
/// the input.
fn judge_nc(help: &str) -> Option<Finding> {
    (!help.contains("OpenBSD")).then(|| {
        let finding = Finding::note(text(
            "this nc is not OpenBSD's, whose -N half-closes: tests with nc fail",
            "这个 nc 不是 OpenBSD 版（那一版的 -N 表示半关闭）：用到 nc 的测试会失败",
        ));
        if OS == "linux" {
            finding.or_try(command("sudo apt-get install netcat-openbsd"))
        } else {
            finding
        }
    })
}

/// Whether anybody may have a network of their own. `true` says nothing; a refusal does.
fn judge_namespace(said: Option<&str>) -> Option<Finding> {
    (said != Some("")).then(|| {
        Finding::note(text(
            "this system gives nobody a network namespace: tests that need one are left out",
            "系统不允许创建网络命名空间：需要它的测试会被略过",
        ))
        .or_try(command("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::super::finding::Level;
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_program_that_a_test_asks_for_is_looked_for() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let ours: BTreeSet<&str> = PEERS.iter().chain(OF_LINUX).map(|peer| peer.name).collect();
        let mut asked_for = BTreeSet::new();
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let (path, name) = (entry.path(), entry.file_name());
                let is_ours = !name.to_string_lossy().starts_with('.')
                    && !["target", "node_modules"].iter().any(|other| name == *other);
                if path.is_dir() && is_ours {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = fs::read_to_string(path).unwrap();
                    let calls = text.split("trial(").skip(1);
                    // `trial("nc", "nc_talks_with_our_server", …)`
                    asked_for.extend(calls.filter_map(|call| {
                        let (name, rest) = call.trim_start().strip_prefix('"')?.split_once('"')?;
                        let rest = rest.strip_prefix(',')?.trim_start();
                        rest.starts_with('"').then(|| name.to_owned())
                    }));
                }
            }
        }
        assert!(asked_for.contains("nc"), "{asked_for:?}");
        let unknown: Vec<_> =
            asked_for.iter().filter(|name| !ours.contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "not in the doctor's list: {unknown:?}");
    }

    #[rstest]
    #[case("linux", Some("sudo apt-get install wrk libxml2-utils"))]
    #[case("macos", Some("brew install wrk"))]
    #[case("windows", Some("WSL"))]
    #[case("freebsd", None)]
    fn what_is_missing_is_named_with_what_is_left_out(
        #[case] os: &str,
        #[case] advice: Option<&str>,
    ) {
        let missing: Vec<&Peer> =
            PEERS.iter().filter(|peer| ["wrk", "xmllint"].contains(&peer.name)).collect();
        let finding = judge(&["nc"], &missing, os);
        assert_eq!(finding.level, Level::Note);
        assert!(finding.said.en.ends_with(": wrk (08), xmllint (grader)"), "{finding:?}");
        assert_eq!(finding.tries.len(), usize::from(advice.is_some()));
        assert!(advice.is_none_or(|advice| finding.tries[0].en.contains(advice)), "{finding:?}");
    }

    #[rstest]
    #[case("OpenBSD netcat (Debian patchlevel 1.219-1)\nusage: nc [-46CDdFhklNnrStUuvZz]", false)]
    #[case::of_macos("usage: nc [-46AacCDdEFhklMnOortUuvz]\n\t-N num_probes\n\t-U", true)]
    #[case("[v1.10-47]\nconnect to somewhere: nc [-options] hostname port", true)]
    #[case("Ncat 7.93 ( https://nmap.org/ncat )", true)]
    fn another_nc_is_told(#[case] help: &str, #[case] is_told: bool) {
        assert_eq!(judge_nc(help).is_some(), is_told);
    }

    #[rstest]
    #[case(Some(""), false)]
    #[case(Some("unshare: unshare failed: Operation not permitted\n"), true)]
    #[case(None, true)]
    fn a_refused_namespace_is_told(#[case] said: Option<&str>, #[case] is_told: bool) {
        assert_eq!(judge_namespace(said).is_some(), is_told);
    }
}
