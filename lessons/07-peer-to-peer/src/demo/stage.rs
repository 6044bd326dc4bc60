//! The stage of the demo: nodes as threads, and a record of all that they tell.
//!
//! Nobody sleeps until something "must have happened": each step waits until the nodes themselves
//! have told it, and there is an end to that.

use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use netbasics::cli::{log, ready};
use netbasics::system::stop::Stop;

use crate::driver::{self, Input, Orders};
use crate::node::{Event, News, Setup};
use crate::wire::NodeId;

/// How long a step may take. (On a machine with nothing else to do: some milliseconds.)
const STEP_WITHIN: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(15);

type Name = &'static str;

struct Actor {
    name: Name,
    orders: Orders,
    thread: JoinHandle<Result<usize>>,
}

pub struct Stage {
    group: Option<SocketAddrV4>,
    actors: Vec<Actor>,
    /// All that was told so far, and by whom.
    record: Vec<(Name, News)>,
    news: Receiver<(Name, News)>,
    tell: Sender<(Name, News)>,
}

impl Stage {
    pub fn new(group: Option<SocketAddrV4>) -> Self {
        let (tell, news) = mpsc::channel();
        Self { group, actors: Vec::new(), record: Vec::new(), news, tell }
    }

    /// Starts a node on a thread of its own, which is named so that its lines carry its label.
    pub fn enter(
        &mut self,
        name: Name,
        listener: TcpListener,
        named: Vec<SocketAddr>,
    ) -> Result<()> {
        let (address, group) = (listener.local_addr()?, self.group);
        let (id, port) =
            (NodeId(getrandom::u64().context("the system gave no random number")?), address.port());
        let setup = Setup { id, name: name.into(), port, silence: SILENCE, follow: true, named };
        let (orders, inbox) = driver::inbox();
        let (own, tell) = (orders.clone(), self.tell.clone());
        let thread = thread::Builder::new().name(format!("[{name}]")).spawn(move || {
            log!("{}", ready::line(address));
            driver::run(&listener, setup, group, (own, inbox), &Stop::new(), &mut |news| {
                news.say();
                // The stage may be gone already, if the play went wrong.
                let _ = tell.send((name, news));
                Ok(())
            })
        })?;
        self.actors.push(Actor { name, orders, thread });
        Ok(())
    }

    // listing: begin until
    /// Waits until all of `names` have told what `is_it` looks for.
    fn until(&mut self, names: &[Name], what: &str, is_it: impl Fn(&News) -> bool) -> Result<()> {
        let limit = Instant::now() + STEP_WITHIN;
        let has_told = |record: &[(Name, News)], name| {
            record.iter().any(|(who, news)| *who == name && is_it(news))
        };
        while !names.iter().all(|name| has_told(&self.record, *name)) {
            match self.news.recv_timeout(limit.saturating_duration_since(Instant::now())) {
                Ok(news) => self.record.push(news),
                Err(_) => bail!("{what}: not seen by {names:?} within {STEP_WITHIN:?}"),
            }
        }
        Ok(())
    }
    // listing: end until

    pub fn until_all_have_met(&mut self) -> Result<()> {
        for new in self.others("") {
            let what = format!("{new} is here");
            self.until(
                &self.others(new),
                &what,
                |news| matches!(news, News::Here { name, .. } if name == new),
            )?;
        }
        Ok(())
    }

    /// Lets one node say something, and waits until all others have shown it, once each.
    pub fn says(&mut self, name: Name, words: &str) -> Result<()> {
        self.order(name, Input::Event(Event::Say(words.into())))?;
        let others = self.others(name);
        let is_it = |news: &News| matches!(news, News::Heard { text, .. } if text == words);
        self.until(&others, words, is_it)?;
        let times = self.record.iter().filter(|(_, news)| is_it(news)).count();
        if times != others.len() {
            bail!("{words}: shown {times} times by {others:?}");
        }
        Ok(())
    }

    /// Ends a node without a farewell, and waits until the others have noticed.
    pub fn crashes(&mut self, gone: Name) -> Result<()> {
        self.order(gone, Input::Crash)?;
        let is_it = |news: &News| matches!(news, News::Gone { name, .. } if name == gone);
        self.until(&self.others(gone), &format!("{gone} is gone"), is_it)?;
        self.exit(gone)
    }

    /// Lets a node take its leave, and waits until the others have heard it.
    pub fn leaves(&mut self, gone: Name) -> Result<()> {
        self.order(gone, Input::Event(Event::Leave))?;
        let is_it = |news: &News| matches!(news, News::Left { name } if name == gone);
        self.until(&self.others(gone), &format!("{gone} has left"), is_it)?;
        self.exit(gone)
    }

    /// Ends the nodes that are still there.
    pub fn end(mut self) -> Result<()> {
        for name in self.others("") {
            let _ = self.order(name, Input::Crash);
            self.exit(name)?;
        }
        Ok(())
    }

    fn others(&self, name: Name) -> Vec<Name> {
        self.actors.iter().map(|actor| actor.name).filter(|other| *other != name).collect()
    }

    fn order(&self, name: Name, order: Input) -> Result<()> {
        let actor = self.actors.iter().find(|actor| actor.name == name);
        match actor.map(|actor| actor.orders.give(order)) {
            Some(true) => Ok(()),
            _ => Err(anyhow!("{name} has ended before its time")),
        }
    }

    fn exit(&mut self, name: Name) -> Result<()> {
        for actor in self.actors.extract_if(.., |actor| actor.name == name) {
            actor.thread.join().map_err(|_| anyhow!("{name} panicked"))??;
        }
        Ok(())
    }
}
