//! What is in a diagram beside the payloads, in the languages of the course.

use crate::fates::Arrival;
use crate::faults::{Direction, Fate};
use crate::payload::{bytes, grouped};

/// The language of a diagram's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    pub(super) fn server(self) -> &'static str {
        self.pick("server", "服务器")
    }

    /// A client that is alone needs no number; the others are counted from 1.
    pub(super) fn client(self, number: Option<u32>) -> String {
        let client = self.pick("client", "客户端");
        number.map_or_else(|| client.to_owned(), |number| format!("{client} {number}"))
    }

    pub(super) fn connect(self) -> &'static str {
        self.pick("connect", "连接")
    }

    pub(super) fn refused(self) -> &'static str {
        self.pick("refused", "被拒绝")
    }

    pub(super) fn fin(self) -> &'static str {
        self.pick("FIN: no more to send", "FIN：不再发送")
    }

    pub(super) fn reset(self) -> &'static str {
        self.pick("RST: connection reset", "RST：连接被重置")
    }

    pub(super) fn bytes(self, length: u64) -> String {
        match self {
            Self::English => bytes(length),
            Self::Chinese => format!("{} 字节", grouped(length)),
        }
    }

    /// What happened to it on its way.
    pub(super) fn fate(self, fate: Fate, change: Option<&Arrival>, has_arrived: bool) -> String {
        let words = match (fate, change) {
            (Fate::Lose, _) => self.pick("lost", "丢失"),
            (Fate::TooLarge, _) => self.pick("larger than the MTU: dropped", "大于 MTU：丢弃"),
            (Fate::QueueFull, _) => self.pick("queue full: dropped", "队列已满：丢弃"),
            _ if !has_arrived => self.pick("not arrived", "未到达"),
            (Fate::Pass, _) => "",
            (Fate::Duplicate, _) => self.pick("twice", "重复"),
            (Fate::Reorder(_), _) => self.pick("late", "迟到"),
            (Fate::Corrupt, Some(Arrival::Changed(at, old, new))) => {
                return match self {
                    Self::English => format!("damaged: byte {at} was {old:02x}, is {new:02x}"),
                    Self::Chinese => {
                        format!("损坏：第 {at} 字节由 {old:02x} 变为 {new:02x}")
                    }
                };
            }
            (Fate::Corrupt, _) => self.pick("damaged", "损坏"),
        };
        words.to_owned()
    }

    /// An arrow as a sentence.
    pub(super) fn sentence(self, client: &str, direction: Direction, label: &str) -> String {
        let (from, to) = match direction {
            Direction::ToServer => (client, self.server()),
            Direction::ToClient => (self.server(), client),
        };
        match self {
            Self::English => format!("{from} to {to}: {label}"),
            Self::Chinese => format!("{from}到{to}：{label}"),
        }
    }

    pub(super) fn more(self, arrows: u64) -> String {
        match self {
            Self::English => format!("… {} more", grouped(arrows)),
            Self::Chinese => format!("……另有 {} 个", grouped(arrows)),
        }
    }

    pub(super) fn title(self) -> &'static str {
        self.pick("Sequence diagram", "时序图")
    }

    /// For those who do not see the image: who takes part, and how much happens.
    pub(super) fn description(self, clients: u64, arrows: u64, stopped: usize) -> String {
        let plural = |number: u64, what: &str| {
            format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
        };
        match self {
            Self::English => format!(
                "{} and a server. {}, {stopped} of them stopped on the way.",
                plural(clients, "client"),
                plural(arrows, "arrow"),
            ),
            Self::Chinese => format!(
                "{} 个客户端和一个服务器。共 {} 个箭头，其中 {stopped} 个在途中中断。",
                grouped(clients),
                grouped(arrows)
            ),
        }
    }
}
