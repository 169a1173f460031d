// A step of y's sum: a tap, and DEEP channels from c on.
struct Step { r: u32, s: u32, c: u32 }

fn after(k: Step) -> Step {
  let sameTap = k.c + DEEP < p.C / p.groups;
  let sameRow = sameTap | (k.s + 1u < p.S);
  let s = select(select(0u, k.s + 1u, sameRow), k.s, sameTap);
  return Step(select(k.r + 1u, k.r, sameRow), s, select(0u, k.c + DEEP, sameTap));
}
