use super::{Drive, Group, SLEEP, Service};
use crate::scene::Failure;
use crate::traffic::deed::Deed;
use crate::traffic::plan::Somebody;

impl Drive {
    /// Gives the next free lane something to do, or waits for one.
    pub(super) fn draw(&mut self) -> Result<(), Failure> {
        let Some(lane) = self.free_lane(None) else { return self.listen() };
        if self.draws.chance(1) {
            return self.start(lane, Deed::Publish);
        }
        if self.draws.chance(self.setup.contended) {
            return self.draw_pair();
        }
        let Some(somebody) = self.draw_somebody() else { return self.listen() };
        let deed = somebody.deed(&mut self.draws);
        self.groups.insert(somebody.number, Group { jobs: Vec::new(), swept: None });
        self.start(lane, deed)
    }

    /// Two clients at the same time to one person, as soon as two are free.
    pub(super) fn draw_pair(&mut self) -> Result<(), Failure> {
        let lanes = loop {
            let pair = self.free_lane(None).and_then(|lane| Some((lane, self.other_lane(lane)?)));
            match pair {
                Some(lanes) => break lanes,
                None if self.services.iter().any(|service| !service.takes()) => return self.listen(),
                None => self.listen()?,
            }
        };
        let Some(somebody) = self.draw_somebody().filter(|one| self.model.may_be(one.number).len() == 1)
        else {
            return Ok(());
        };
        let (first, second) = somebody.pair(&mut self.draws);
        self.report.contended += 2;
        self.groups.insert(somebody.number, Group { jobs: Vec::new(), swept: None });
        // Neither is always first.
        let (first, second) = if self.draws.chance(50) { (first, second) } else { (second, first) };
        self.start(lanes.0, first)?;
        self.start(lanes.1, second)
    }

    pub(super) fn draw_queued(&mut self) -> Result<(), Failure> {
        let free = (0..self.queue.len().min(64)).find_map(|place| {
            let (service, deed) = *self.queue.get(place)?;
            let person = deed.person()?;
            let lane = self.free_lane(Some(service))?;
            (!self.groups.contains_key(&person)).then_some((place, lane, deed, person))
        });
        let Some((place, lane, deed, person)) = free else { return self.listen() };
        self.queue.remove(place);
        self.groups.insert(person, Group { jobs: Vec::new(), swept: None });
        self.start(lane, deed)
    }

    /// Somebody whom nobody else uses. A quarter of the people sleeps; of whom not all is known is asked soon.
    pub(super) fn draw_somebody(&mut self) -> Option<Somebody> {
        let people = u64::from(self.model.len());
        for _ in 0..200 {
            let number = u32::try_from(self.draws.below(people)).unwrap_or_default();
            let asleep = (u64::from(number) + self.long_moves / SLEEP).is_multiple_of(4);
            if self.groups.contains_key(&number) || asleep && self.draws.chance(95) {
                continue;
            }
            if let Some(somebody) = self.somebody(number) {
                return Some(somebody);
            }
        }
        None
    }

    pub(super) fn somebody(&mut self, number: u32) -> Option<Somebody> {
        let person = *self.model.may_be(number).first()?;
        self.fresh += 2;
        Some(Somebody { number, person, fresh: self.fresh })
    }

    pub(super) fn free_lane(&self, service: Option<usize>) -> Option<usize> {
        self.lanes.iter().position(|lane| {
            let fits = service.is_none_or(|service| service == lane.service);
            fits && lane.job.is_none() && self.services.get(lane.service).is_some_and(Service::takes)
        })
    }

    /// Another free lane, of another process if there is one.
    pub(super) fn other_lane(&self, than: usize) -> Option<usize> {
        let service = self.lanes.get(than)?.service;
        let others = (0..self.setup.processes).filter(|other| *other != service);
        others
            .map(Some)
            .chain([None])
            .find_map(|service| self.free_lane(service).filter(|lane| *lane != than))
    }
}
