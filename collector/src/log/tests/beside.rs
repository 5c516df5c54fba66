//! Readers beside a running log.

use super::*;

#[test]
fn what_is_given_back_before_it_is_read_is_not_damaged() {
    let folder = Folder::new("beside");
    // A reader takes it in two pieces.
    let segment_bytes = 6 << 20;
    let retention = Retention { days: 30, bytes: Some(0) };
    let place = Place { segment_bytes, retention, ..place_of(&folder.0, 0) };
    let log = Log::open(place, Arc::default(), Arc::default(), |_| Ok(Open)).unwrap();
    let (second, third) = (roll(&log, &folder.0), roll(&log, &folder.0));
    log.close();
    let (mut amid, mut before) = (read_folder(&folder.0).unwrap(), read_folder(&folder.0).unwrap());
    let first = amid.read_on().unwrap().unwrap();
    assert!(first.frames().last().unwrap().end < second);
    // It becomes a spare while one reader is in the middle of it, and another has not begun.
    let spare = folder.0.join(spare::SPARE);
    fs::rename(folder.0.join(segment::name_of(0)), &spare).unwrap();
    fs::write(&spare, vec![0; segment_bytes as usize]).unwrap();
    for reader in [&mut amid, &mut before] {
        let (texts, damaged) = read_all(reader);
        assert_eq!(damaged, []);
        assert_eq!(texts.len(), read(&log, second).len());
    }
    // What nobody has given back is.
    fs::write(folder.0.join(segment::name_of(second)), "").unwrap();
    let damaged = read_all(&mut read_folder(&folder.0).unwrap()).1;
    assert_eq!(damaged, [(second, third)]);
}
