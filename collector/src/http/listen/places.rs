//! How many connections are open at a time: in total, and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for connections.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    most_of_one: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
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
    site: IpAddr,
    _reserved: Reserved,
}

impl Places {
    /// So many in total, and so many of one address at most.
    pub fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(most)), most_of_one, taken: Mutex::default() })
    }

    /// Waits until one is free.
    pub async fn reserve(&self) -> Option<Reserved> {
        let permit = self.free.clone().acquire_owned().await.ok()?;
        Some(Reserved { _permit: permit })
    }

    /// Gives a place to an address, unless it has as many as it may have.
    pub fn take(self: &Arc<Self>, reserved: Reserved, address: IpAddr) -> Option<Place> {
        let site = site_of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(site).or_default();
        if *count >= self.most_of_one {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), site, _reserved: reserved })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.site) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.site);
            }
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits, since a household is given all that begin alike
/// (RFC 6177).
fn site_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_gets_no_more_than_its_share_and_what_it_gives_back_is_free() {
        let places = Places::new(4, 2);
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

    #[test]
    fn a_household_is_one_address() {
        assert_eq!(site_of(address("2001:db8:1:2:3:4:5:6")), site_of(address("2001:db8:1:2::1")));
        assert_ne!(site_of(address("2001:db8:1:2::1")), site_of(address("2001:db8:1:3::1")));
        assert_ne!(site_of(address("192.0.2.1")), site_of(address("192.0.2.2")));
    }
}
