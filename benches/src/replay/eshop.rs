//! Reads the clicks of the data set "clickstream data for online shopping" (Łapczyński and Białowąs, 2013).

use crate::failure::Failure;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The columns that are used, by the name in the file's first line.
const COLUMNS: [&str; 8] =
    ["year", "month", "day", "order", "session_id", "page1_main_category", "page2_clothing_model", "price"];

/// One click of a shop session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// The day it happened on: year, month, day.
    pub day: (u32, u32, u32),
    /// Its number within the session, from 1.
    pub order: u32,
    /// The session.
    pub session: u32,
    /// Main category, 1 to 4.
    pub category: u32,
    /// The product, 1 to 217.
    pub model: u32,
    /// Its price in US dollars.
    pub price_dollars: u32,
}

/// Reads all clicks of a gzip CSV file, in the order of the file.
///
/// # Errors
/// A file that cannot be read, a missing column, or a value that is no number; the line is named.
pub fn read(path: &Path) -> Result<Vec<Click>, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::of(&name, error))?;
    parse(BufReader::new(MultiGzDecoder::new(file)), &name)
}

fn parse(reader: impl BufRead, name: &str) -> Result<Vec<Click>, Failure> {
    let mut lines = reader.lines();
    let head = lines.next().ok_or_else(|| Failure::new(format!("{name}: empty")))?;
    let head = head.map_err(|error| Failure::of(name, error))?;
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = head.split(',').position(|title| title.trim() == column);
        *place = found.ok_or_else(|| Failure::new(format!("{name}: no column `{column}`")))?;
    }
    let mut clicks = Vec::new();
    for (index, line) in lines.enumerate() {
        let line = line.map_err(|error| Failure::of(name, error))?;
        let fields: Vec<&str> = line.split(',').collect();
        let mut values = [0_u32; COLUMNS.len()];
        for ((value, place), column) in values.iter_mut().zip(places).zip(COLUMNS) {
            let text = fields.get(place).copied().unwrap_or_default().trim();
            *value = text.parse().map_err(|_| {
                Failure::new(format!("{name}: line {}: `{column}` is `{text}`, not a number", index + 2))
            })?;
        }
        let [year, month, day, order, session, category, model, price_dollars] = values;
        clicks.push(Click { day: (year, month, day), order, session, category, model, price_dollars });
    }
    Ok(clicks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "year,month,day,order,country,session_id,page1_main_category,page2_clothing_model,price\n";

    #[test]
    fn columns_are_found_by_name() {
        let clicks = parse(format!("{HEAD}2008,4,1,2,29,7,1,13,28\n").as_bytes(), "x").unwrap();
        let expected =
            Click { day: (2008, 4, 1), order: 2, session: 7, category: 1, model: 13, price_dollars: 28 };
        assert_eq!(clicks, [expected]);
    }

    #[test]
    fn a_bad_line_is_named_with_its_column() {
        let failure =
            parse(format!("{HEAD}2008,4,1,2,29,7,1,13,28\n2008,4,1,x,29,7,1,13,28\n").as_bytes(), "f");
        assert_eq!(failure.unwrap_err().to_string(), "f: line 3: `order` is `x`, not a number");
        assert_eq!(parse("year\n".as_bytes(), "f").unwrap_err().to_string(), "f: no column `month`");
    }
}
