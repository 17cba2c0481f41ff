//! Where stages and lines stand in a drawing, in pixels.
//!
//! Stages lie in rows, each below all that it waits for (Sugiyama's method: rows, bends where a
//! line passes a row, an order with few crossings, then columns near what is connected).

use super::Graph;

/// Between two boxes of a row.
const GAP: i32 = 28;
/// Between two rows.
const ROW_GAP: i32 = 44;
/// Around everything.
const MARGIN: i32 = 16;
/// What a line needs where it passes a row.
const BEND: i32 = 12;

/// A drawing.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The box of each stage.
    pub(super) boxes: Vec<Rect>,
    /// The line of each edge, from top to bottom.
    pub(super) lines: Vec<Vec<Point>>,
}

/// A box.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Rect {
    /// Its middle.
    pub(super) x: i32,
    /// Its upper end.
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// Something that needs a place in a row.
struct Slot {
    row: usize,
    width: i32,
    /// Its middle.
    x: i32,
    /// Its neighbours in the row above and in the row below.
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Lays out boxes of these sizes (width, height).
pub(super) fn layout(graph: &Graph, sizes: &[(i32, i32)]) -> Layout {
    let rows = rows(graph);
    let mut slots: Vec<Slot> = sizes
        .iter()
        .zip(&rows)
        .map(|((width, _), row)| Slot {
            row: *row,
            width: *width,
            x: 0,
            above: Vec::new(),
            below: Vec::new(),
        })
        .collect();
    let bends = bends(graph, &rows, &mut slots);
    let count = rows.iter().max().map_or(0, |row| row + 1);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (number, slot) in slots.iter().enumerate() {
        order[slot.row].push(number);
    }
    uncross(&slots, &mut order);
    place(&mut slots, &order);
    draw(graph, sizes, &slots, &bends, count)
}

/// The row of each stage: below everything that it waits for.
fn rows(graph: &Graph) -> Vec<usize> {
    let mut rows = vec![0; graph.nodes.len()];
    // Edges lead to later stages, and are sorted by where they lead.
    for edge in &graph.edges {
        rows[edge.to] = rows[edge.to].max(rows[edge.from] + 1);
    }
    rows
}

/// Gives each line a slot in each row that it passes, and connects neighbours.
fn bends(graph: &Graph, rows: &[usize], slots: &mut Vec<Slot>) -> Vec<Vec<usize>> {
    let mut bends = Vec::new();
    for edge in &graph.edges {
        let mut passed = Vec::new();
        let mut before = edge.from;
        for row in rows[edge.from] + 1..rows[edge.to] {
            let bend = slots.len();
            slots.push(Slot { row, width: BEND, x: 0, above: vec![before], below: Vec::new() });
            slots[before].below.push(bend);
            passed.push(bend);
            before = bend;
        }
        slots[before].below.push(edge.to);
        slots[edge.to].above.push(before);
        bends.push(passed);
    }
    bends
}

/// Sorts each row by the middle of its neighbours' places, back and forth; keeps the best.
fn uncross(slots: &[Slot], order: &mut Vec<Vec<usize>>) {
    let mut best = order.clone();
    let mut least = crossings(slots, &best);
    for round in 0..8 {
        let down = round % 2 == 0;
        for step in 1..order.len() {
            let row = if down { step } else { order.len() - 1 - step };
            let near = if down { row - 1 } else { row + 1 };
            let mut place = vec![0; slots.len()];
            for (number, slot) in order[near].iter().enumerate() {
                place[*slot] = number * 1000;
            }
            let mut keyed: Vec<(usize, usize)> = Vec::new();
            for (number, slot) in order[row].iter().enumerate() {
                let neighbours = if down { &slots[*slot].above } else { &slots[*slot].below };
                let sum: usize = neighbours.iter().map(|n| place[*n]).sum();
                let key = sum.checked_div(neighbours.len()).unwrap_or(number * 1000);
                keyed.push((key, *slot));
            }
            keyed.sort_by_key(|(key, _)| *key);
            order[row] = keyed.into_iter().map(|(_, slot)| slot).collect();
        }
        let now = crossings(slots, order);
        if now < least {
            least = now;
            best.clone_from(order);
        }
    }
    *order = best;
}

fn crossings(slots: &[Slot], order: &[Vec<usize>]) -> usize {
    let mut place = vec![0; slots.len()];
    for row in order {
        row.iter().enumerate().for_each(|(number, slot)| place[*slot] = number);
    }
    let mut crossings = 0;
    for row in order {
        let lines: Vec<(usize, usize)> = row
            .iter()
            .flat_map(|slot| slots[*slot].below.iter().map(|below| (place[*slot], place[*below])))
            .collect();
        for (number, (a, b)) in lines.iter().enumerate() {
            crossings += lines[number + 1..].iter().filter(|(c, d)| a < c && b > d).count();
        }
    }
    crossings
}

/// Columns: each slot as near to the middle of its neighbours as its row allows.
fn place(slots: &mut [Slot], order: &[Vec<usize>]) {
    for row in order {
        let mut x = 0;
        for slot in row {
            slots[*slot].x = x + slots[*slot].width / 2;
            x += slots[*slot].width + GAP;
        }
    }
    for round in 0..12 {
        for step in 0..order.len() {
            let row = if round % 2 == 0 { step } else { order.len() - 1 - step };
            let wanted: Vec<i32> = order[row]
                .iter()
                .map(|slot| {
                    let slot = &slots[*slot];
                    let near: Vec<i32> =
                        slot.above.iter().chain(&slot.below).map(|n| slots[*n].x).collect();
                    let count = i32::try_from(near.len()).unwrap_or(1);
                    near.iter().sum::<i32>().checked_div(count).unwrap_or(slot.x)
                })
                .collect();
            for (slot, x) in order[row].iter().zip(apart(slots, &order[row], &wanted)) {
                slots[*slot].x = x;
            }
        }
    }
}

/// The places nearest to the wanted ones that keep the order and the distances: those that would
/// be too near each other form groups, which stand where their middle wants to be.
fn apart(slots: &[Slot], row: &[usize], wanted: &[i32]) -> Vec<i32> {
    let mut offsets = vec![0];
    for pair in row.windows(2) {
        let least = (slots[pair[0]].width + slots[pair[1]].width) / 2 + GAP;
        offsets.push(offsets.last().copied().unwrap_or(0) + least);
    }
    // (sum of where its members want it, how many members)
    let mut groups: Vec<(i32, i32)> = Vec::new();
    for (wanted, offset) in wanted.iter().zip(&offsets) {
        groups.push((wanted - offset, 1));
        while let [.., (a, m), (b, n)] = groups[..]
            && a * n >= b * m
        {
            groups.pop();
            groups.pop();
            groups.push((a + b, m + n));
        }
    }
    let starts = groups.iter().flat_map(|(sum, count)| {
        std::iter::repeat_n(sum / count, usize::try_from(*count).unwrap_or(0))
    });
    starts.zip(&offsets).map(|(start, offset)| start + offset).collect()
}

fn draw(
    graph: &Graph,
    sizes: &[(i32, i32)],
    slots: &[Slot],
    bends: &[Vec<usize>],
    count: usize,
) -> Layout {
    let left = slots.iter().map(|slot| slot.x - slot.width / 2).min().unwrap_or(0) - MARGIN;
    let right = slots.iter().map(|slot| slot.x + slot.width / 2).max().unwrap_or(0) + MARGIN;
    let mut heights = vec![0; count];
    for (slot, (_, height)) in slots.iter().zip(sizes) {
        heights[slot.row] = heights[slot.row].max(*height);
    }
    let mut tops = Vec::new();
    let mut y = MARGIN;
    for height in &heights {
        tops.push(y);
        y += height + ROW_GAP;
    }
    let boxes: Vec<Rect> = slots
        .iter()
        .zip(sizes)
        .map(|(slot, (width, height))| {
            let y = tops[slot.row] + (heights[slot.row] - height) / 2;
            Rect { x: slot.x - left, y, width: *width, height: *height }
        })
        .collect();
    let lines = graph
        .edges
        .iter()
        .zip(bends)
        .map(|(edge, bends)| {
            let (from, to) = (boxes[edge.from], boxes[edge.to]);
            let mut line = vec![Point { x: from.x, y: from.y + from.height }];
            for bend in bends {
                let (x, row) = (slots[*bend].x - left, slots[*bend].row);
                line.push(Point { x, y: tops[row] });
                line.push(Point { x, y: tops[row] + heights[row] });
            }
            line.push(Point { x: to.x, y: to.y });
            line
        })
        .collect();
    let height = if count == 0 { 2 * MARGIN } else { y - ROW_GAP + MARGIN };
    Layout { width: right - left, height, boxes, lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, Node};

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let node = |number: usize| Node {
            name: format!("s{number}"),
            title: None,
            notes: Vec::new(),
            conditional: false,
            many: false,
            docs: String::new(),
        };
        let edges = edges.iter().map(|(from, to)| Edge { from: *from, to: *to, needs: true });
        Graph {
            name: "x".to_owned(),
            nodes: (0..nodes).map(node).collect(),
            edges: edges.collect(),
        }
    }

    fn overlap(a: &Rect, b: &Rect) -> bool {
        (a.x - b.x).abs() * 2 < a.width + b.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    #[test]
    fn boxes_never_overlap_and_lie_inside() {
        // A wide middle row, lines that pass rows, stages without any line.
        let edges: Vec<(usize, usize)> = (1..9)
            .map(|n| (0, n))
            .chain((1..9).map(|n| (n, 9)))
            .chain([(9, 10), (0, 10), (3, 10)])
            .collect();
        let graph = graph(12, &edges);
        let sizes: Vec<(i32, i32)> =
            (0..12).map(|n| (60 + 17 * (n % 5), 30 + 16 * (n % 3))).collect();
        let layout = layout(&graph, &sizes);
        for (number, a) in layout.boxes.iter().enumerate() {
            for b in &layout.boxes[number + 1..] {
                assert!(!overlap(a, b), "{a:?} {b:?}");
            }
            assert!(
                a.x - a.width / 2 >= MARGIN - 1 && a.x + a.width / 2 <= layout.width - MARGIN + 1
            );
            assert!(a.y >= MARGIN && a.y + a.height <= layout.height - MARGIN);
        }
        for (line, edge) in layout.lines.iter().zip(&graph.edges) {
            assert!(line.windows(2).all(|pair| pair[0].y <= pair[1].y));
            let to = layout.boxes[edge.to];
            assert!(line.last().is_some_and(|end| end.x == to.x && end.y == to.y));
        }
    }

    #[test]
    fn a_line_that_passes_a_row_keeps_away_from_its_boxes() {
        let graph = graph(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        let layout = layout(&graph, &[(100, 30); 4]);
        let line = &layout.lines[3];
        for rect in &layout.boxes[1..3] {
            for pair in line[1..line.len() - 1].windows(2) {
                assert!((pair[0].x - rect.x).abs() >= rect.width / 2 + BEND / 2);
            }
        }
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        // The order of the file crosses: 0 -> 3, 1 -> 2.
        let graph = graph(4, &[(0, 3), (1, 2)]);
        let layout = layout(&graph, &[(80, 30); 4]);
        let (a, b) = (&layout.boxes, |n: usize| layout.boxes[n].x);
        assert_eq!((b(0) < b(1)), (b(3) < b(2)), "{a:?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let layout = layout(&graph(0, &[]), &[]);
        assert!(layout.boxes.is_empty() && layout.width > 0 && layout.height > 0);
    }
}
