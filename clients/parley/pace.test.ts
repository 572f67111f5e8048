// The pace of connections, by a clock of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace";

function paced() {
  let now = 5000;
  const openings: number[] = [];
  const pace = new Pace({ now: () => now, sleep: async (milliseconds) => void (now += Math.max(milliseconds, 0)) });
  return {
    pace,
    openings,
    gaps: () => openings.slice(1).map((at, n) => at - openings[n]!),
    open: async (lives = 0) => {
      await pace.turn();
      openings.push(now);
      now += lives;
    },
  };
}

test("connections that do not last are ever further apart, and never more than one a second", async () => {
  const { pace, open, gaps } = paced();
  for (let n = 0; n < 12; n++) {
    await open();
    pace.lost();
  }
  assert.ok(gaps().every((gap) => gap >= 1000), String(gaps()));
  assert.ok(gaps().slice(5).every((gap) => gap >= 15_000 && gap <= 45_000), String(gaps()));
});

test("one that lasted begins anew, with a short pause at random", async () => {
  const { pace, open, openings } = paced();
  for (let n = 0; n < 6; n++) {
    await open();
    pace.lost();
  }
  await open(60_000);
  pace.lost();
  await open();
  const pause = openings.at(-1)! - openings.at(-2)! - 60_000;
  assert.ok(pause >= 500 && pause <= 1500, String(pause));
});

test("what the server says to wait is waited", async () => {
  const { pace, open, gaps } = paced();
  await open();
  pace.lost(20_000);
  await open();
  assert.ok(gaps()[0]! >= 20_000);
});

test("connections that end well are a second apart", async () => {
  const { open, gaps } = paced();
  for (let n = 0; n < 3; n++) await open();
  assert.deepEqual(gaps(), [1000, 1000]);
});

test("two refused tokens in a row are the end, and the next two again", async () => {
  const { pace, open } = paced();
  const refuse = async (lives = 0) => {
    await open(lives);
    return pace.refused();
  };
  assert.deepEqual([await refuse(), await refuse(), await refuse(), await refuse()], [false, true, false, true]);
  assert.equal(await refuse(), false);
  assert.equal(await refuse(60_000), false, "this one was good until it ran out");
  assert.equal(await refuse(), true);
});
