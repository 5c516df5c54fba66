//! Places on the globe: circles and polygons of latitude and longitude, in degrees.

use super::Code;
use crate::value::ValueRef;

/// Mean radius of the Earth, in metres (IUGG).
#[cfg(feature = "author")]
const EARTH_METRES: f64 = 6_371_008.8;
const RADIANS: f64 = core::f64::consts::PI / 180.0;

/// Latitude and longitude, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Degrees north of the equator.
    pub lat: f64,
    /// Degrees east of Greenwich.
    pub lon: f64,
}

/// What a value says about a place: `{"lat":…,"lon":…}` or `[lat,lon]`, numbers within ±90 and ±180 degrees.
#[inline(never)]
pub(super) fn place(value: ValueRef<'_>) -> Option<Place> {
    let is_list = matches!(value, ValueRef::List(_));
    if is_list && value.at("2").is_some() {
        return None;
    }
    let lat = value.at(if is_list { "0" } else { "lat" })?.as_number()?;
    let lon = value.at(if is_list { "1" } else { "lon" })?.as_number()?;
    (within(lat, 90.0) && within(lon, 180.0)).then_some(Place { lat, lon })
}

fn within(degrees: f64, bound: f64) -> bool {
    -bound <= degrees && degrees <= bound
}

/// Whether a place is at most so far from the centre; `reach` is what [`reach`] makes of the radius.
///
/// The haversine of the angle between them is compared, so that nothing but sines is needed (Sinnott, "Virtues of the
/// Haversine", 1984).
pub(super) fn in_circle(place: Place, centre: Place, reach: f64) -> bool {
    let (north, east) = (sine((place.lat - centre.lat) / 2.0), sine((place.lon - centre.lon) / 2.0));
    let width = sine(90.0 - place.lat) * sine(90.0 - centre.lat);
    north * north + width * east * east <= reach
}

/// A radius in metres as the haversine of its angle.
#[cfg(feature = "author")]
pub(super) fn reach(metres: f64) -> f64 {
    let half = metres / EARTH_METRES / RADIANS / 2.0;
    // A circle that reaches the other side of the globe has every place in it, however its sine was rounded.
    if half < 90.0 { sine(half) * sine(half) } else { 2.0 }
}

/// The radius in metres whose angle has this haversine, with as few digits as say it exactly, else to a millimetre.
#[cfg(feature = "author")]
pub fn metres(haversine: f64) -> f64 {
    let half = libm::asin(libm::sqrt(haversine.clamp(0.0, 1.0)));
    let metres = 2.0 * half * EARTH_METRES;
    let rounded = |parts: f64| libm::round(metres * parts) / parts;
    let steps = [1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];
    // All of the globe has a radius that is rounded up.
    let mut candidates = steps.into_iter().map(rounded).chain([libm::ceil(metres)]);
    let exact = candidates.find(|metres| reach(*metres) == haversine);
    exact.unwrap_or_else(|| rounded(1e3))
}

/// Whether a place lies inside the corners that the code holds in turn, by the rule of even and odd crossings with
/// sides that are straight in degrees.
#[inline(never)]
pub(super) fn in_polygon(place: Option<Place>, mut corners: Code<'_>) -> (bool, Code<'_>) {
    let mut inside = false;
    let mut first = None;
    let mut last = None;
    while !corners.is_empty() {
        let corner = Place { lat: corners.double(), lon: corners.double() };
        inside ^= crosses(place, last.replace(corner), corner);
        first = first.or(last);
    }
    if let Some(first) = first {
        inside ^= crosses(place, last, first);
    }
    (inside, corners)
}

/// Whether the line from a place to the south meets a side.
fn crosses(place: Option<Place>, from: Option<Place>, to: Place) -> bool {
    let (Some(place), Some(from)) = (place, from) else { return false };
    (from.lon > place.lon) != (to.lon > place.lon)
        && place.lat > from.lat + (to.lat - from.lat) * (place.lon - from.lon) / (to.lon - from.lon)
}

/// The sine of an angle from -180 to 180 degrees, by its Taylor series around the nearest zero; the error stays below
/// 1e-11, a tenth of a millimetre on the globe.
#[inline(never)]
fn sine(degrees: f64) -> f64 {
    let nearest = if degrees > 90.0 {
        180.0 - degrees
    } else if degrees < -90.0 {
        -180.0 - degrees
    } else {
        degrees
    };
    let angle = nearest * RADIANS;
    let (mut sum, mut term, mut order) = (0.0, angle, 1.0);
    while order < 19.0 {
        sum += term;
        term *= -angle * angle / ((order + 1.0) * (order + 2.0));
        order += 2.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_close_to_those_of_the_library() {
        for step in -1_800..=1_800 {
            let degrees = f64::from(step) / 10.0;
            assert!((sine(degrees) - libm::sin(degrees * RADIANS)).abs() < 1e-11, "{degrees}");
        }
    }

    #[cfg(feature = "author")]
    #[test]
    fn a_circle_ends_at_its_radius() {
        // Berlin to Munich, by the haversine formula in another implementation: 504.2 km.
        let (berlin, munich) = (Place { lat: 52.52, lon: 13.405 }, Place { lat: 48.137, lon: 11.575 });
        assert!(in_circle(berlin, munich, reach(505_000.0)));
        assert!(!in_circle(berlin, munich, reach(503_000.0)));
        // Across the date line two places are as near as they are.
        let (west, east) = (Place { lat: 0.0, lon: 179.9 }, Place { lat: 0.0, lon: -179.9 });
        assert!(in_circle(west, east, reach(23_000.0)) && !in_circle(west, east, reach(22_000.0)));
        assert!(in_circle(berlin, Place { lat: -52.52, lon: -166.595 }, reach(1e9)));
    }
}
