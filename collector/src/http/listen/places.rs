//! How many connections are open at a time: in total, and from one address.

use crate::access::{Proxies, Site};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for connections.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    most_of_one: usize,
    proxies: Arc<Proxies>,
    taken: Mutex<HashMap<Site, usize>>,
}

/// A place among all, which is of no address yet.
#[derive(Debug)]
pub struct Reserved {
    _permit: OwnedSemaphorePermit,
}

/// A place that a connection holds until it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    site: Option<Site>,
    _reserved: Reserved,
}

impl Places {
    /// So many in total, and so many of one address at most, unless it is that of a trusted proxy: the connections that it
    /// opens are those of all its clients.
    pub fn new(most: usize, most_of_one: usize, proxies: Arc<Proxies>) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(most));
        Arc::new(Self { free, most_of_one, proxies, taken: Mutex::default() })
    }

    /// Waits until one is free.
    pub async fn reserve(&self) -> Option<Reserved> {
        let permit = self.free.clone().acquire_owned().await.ok()?;
        Some(Reserved { _permit: permit })
    }

    /// Gives a place to an address, unless it has as many as it may have.
    pub fn take(self: &Arc<Self>, reserved: Reserved, address: IpAddr) -> Option<Place> {
        if self.proxies.trust(address) {
            return Some(Place { places: self.clone(), site: None, _reserved: reserved });
        }
        let site = Site::of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(site).or_default();
        if *count >= self.most_of_one {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), site: Some(site), _reserved: reserved })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(site) = self.site else { return };
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&site) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&site);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::ProxyHeader;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_gets_no_more_than_its_share_and_what_it_gives_back_is_free() {
        let places = Places::new(4, 2, Arc::default());
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = places.take(places.reserve().await.unwrap(), one).unwrap();
        let second = places.take(places.reserve().await.unwrap(), address("::ffff:192.0.2.1")).unwrap();
        assert!(places.take(places.reserve().await.unwrap(), one).is_none());
        let third = places.take(places.reserve().await.unwrap(), other).unwrap();
        drop(first);
        let fourth = places.take(places.reserve().await.unwrap(), one).unwrap();
        assert_eq!(places.free.available_permits(), 1);
        drop((second, third, fourth));
        assert_eq!(places.free.available_permits(), 4);
        assert!(places.taken.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_trusted_proxy_opens_connections_for_many() {
        let proxies = Proxies::parse(["192.0.2.1"], ProxyHeader::Forwarded).unwrap();
        let places = Places::new(4, 1, Arc::new(proxies));
        let mut taken = Vec::new();
        for text in ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"] {
            taken.push(places.take(places.reserve().await.unwrap(), address(text)).unwrap());
        }
        drop(taken.pop());
        let another = places.take(places.reserve().await.unwrap(), address("192.0.2.2")).unwrap();
        assert_eq!(places.free.available_permits(), 0);
        drop((taken, another));
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
