/**
 * One life of the whole product: gates start, work, fail, crash at any `await` and start again, until the seed has had its
 * steps; then nothing fails any more, and what is left comes to its end. Checked at every crash and at the end.
 */
import assert from 'node:assert/strict';
import type { Sealed } from '../../../src/core/entry.ts';
import { asksByHttp, askers, callsTool, comesBack, type Asker } from './agents.ts';
import {
  checkAcks,
  checkEffects,
  checkErased,
  checkInboxes,
  checkNotices,
  checkShipped,
  checkTree,
  checkWaits,
  follow,
} from './checks.ts';
import { gateIdOf } from '../../../src/core/ids.ts';
import { countsOf, leftOf } from './counts.ts';
import { at, startGate, type SimGate } from './gate.ts';
import { clockOf, type Life } from './life.ts';
import { Model } from './model.ts';
import { otherFiles } from './organisation.ts';
import { administers, decides, takesReceipt } from './people.ts';
import { during, inside, outsideOf, type Owner, type Running } from './time.ts';

/** Activities that are under way at once, at most. */
const busyMax = 24;
/** After so many steps of the end, whatever is still under way hangs. */
const endStepsMax = 12_000;
const minuteMs = 60_000;

export interface Lived {
  readonly entries: readonly Sealed[];
  readonly counts: Readonly<Record<string, number>>;
}

export class Whole {
  readonly #life: Life;
  readonly #model = new Model();
  readonly #askers: readonly Asker[] = askers();
  readonly #running = new Set<Running>();
  #gates: SimGate[] = [];
  /** Gates that start or stop at this moment. */
  #between = new Set<Owner>();
  #serial = 0;
  #cannotOpen = '';

  constructor(life: Life) {
    this.#life = life;
  }

  async live(steps: number): Promise<Lived> {
    const { stage, random } = this.#life;
    await this.#begin();
    stage.trouble = 0.02 + random.next() * 0.1;
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      // What is new is read before anybody can have erased it.
      if (step % 5 === 0) await follow(this.#life, this.#model);
      if (step % 25 === 0) await this.#look();
    }
    const gone = await this.#end();
    return { entries: this.#model.entries, counts: { ...countsOf(this.#life, this.#model), gone } };
  }

  /** Everything works until the first gate is there, with people who have passkeys. */
  async #begin(): Promise<void> {
    this.#start();
    for (let steps = 0; this.#gates.length === 0; steps += 1) {
      assert.ok(steps < endStepsMax, 'the first gate never started');
      await this.#forward();
    }
    const gate = this.#gates[0] ?? assert.fail();
    this.#do('enrols', [gate], () => this.#life.enrol(gate));
    for (let steps = 0; this.#running.size > 0; steps += 1) {
      assert.ok(steps < endStepsMax, 'nobody has a passkey');
      await this.#forward();
    }
    await this.#look();
  }

  async #step(): Promise<void> {
    const { stage, random } = this.#life;
    if (random.chance(0.008)) return this.#weather();
    if (this.#gates.length + this.#between.size < this.#life.ground.gatesMax && random.chance(0.1))
      this.#start();
    if (stage.waiting > 0 && random.chance(0.75)) return stage.pick(this.#many());
    if (this.#gates.length > 0 && this.#running.size < busyMax && random.chance(0.6)) {
      this.#somebody();
      return stage.rest();
    }
    return this.#forward();
  }

  /** On the embedded store the order of answers is the seed's alone; PostgreSQL answers in any. */
  #many(): number {
    const { ground, random } = this.#life;
    if (ground.kind === 'sqlite') return 1;
    return random.chance(0.4) ? 1 + random.below(4) : 1;
  }

  async #forward(): Promise<void> {
    const { stage, random } = this.#life;
    if (stage.waiting > 0 && (random.chance(0.4) || stage.time.untilNextMs === null))
      return stage.pick(this.#many());
    if (stage.time.untilNextMs === null) return stage.rest();
    await stage.fire();
  }

  /** Clocks jump and are set back, files are written, tools change, gates crash or are told to stop. */
  async #weather(): Promise<void> {
    const { random, wall, ground } = this.#life;
    const what = random.below(10);
    const gate = this.#gates.length === 0 ? undefined : random.pick(this.#gates);
    if (what <= 2) {
      const jumpsMs = random.pick([-20, 5, 20, 20, 200]) * minuteMs;
      wall.skewMs += Math.floor(random.next() * jumpsMs);
      // Before any timer has noticed.
      for (const asker of this.#askers)
        if (gate !== undefined) this.#do('comes back', [gate], () => comesBack(this.#life, gate, asker));
    } else if (what <= 4) {
      this.#life.files = { ...otherFiles(random), version: this.#life.files.version + 1 };
    } else if (what === 5) this.#life.changedMind = !this.#life.changedMind;
    else if (what === 6 && ground.kind === 'postgres') await ground.breakConnections();
    else if (what <= 8 && gate !== undefined) await this.#crash(gate);
    else if (gate !== undefined) this.#stop(gate);
  }

  #start(): void {
    this.#serial += 1;
    const name = this.#life.ground.kind === 'sqlite' ? 'gate' : `gate-${this.#serial}`;
    const owner: Owner = { name, alive: true };
    this.#between.add(owner);
    const { stage, ground } = this.#life;
    const id = gateIdOf(this.#life.random.bytes(16));
    void (async () => {
      const inner = await stage
        .outside('open the store', () => ground.open(clockOf(this.#life), id))
        .catch(
          // A connection that broke; or a store that nobody can open, which is said at the end.
          (error: unknown) => void (this.#cannotOpen = String(error)),
        );
      if (inner === undefined) return void this.#between.delete(owner);
      try {
        const gate = await inside(owner, () => startGate(this.#life, owner, { inner, id }));
        this.#gates.push(gate);
      } catch (error) {
        this.#unless(error, 'a gate starts');
        stage.kill(owner);
        await stage.outside('close the store', () => inner.close());
      }
      this.#between.delete(owner);
    })();
  }

  #stop(gate: SimGate): void {
    this.#gates = this.#gates.filter((one) => one !== gate);
    this.#between.add(gate.owner);
    void at(gate, async () => {
      await gate.stop().catch((error: unknown) => this.#unless(error, 'a gate stops'));
      this.#life.stage.kill(gate.owner);
      await this.#life.stage.outside('close the store', () => gate.inner.close());
      this.#between.delete(gate.owner);
    });
  }

  /** It dies where it is: nothing of it goes on. What was committed is there. */
  async #crash(gate: SimGate): Promise<void> {
    const { stage } = this.#life;
    this.#gates = this.#gates.filter((one) => one !== gate);
    stage.kill(gate.owner);
    await outsideOf(() => gate.inner.close());
    await stage.rest();
    await this.#look();
    await checkInboxes(this.#life, this.#model);
    await checkNotices(this.#life, this.#model);
  }

  #somebody(): void {
    const { random } = this.#life;
    const gate = random.pick(this.#gates);
    const asker = random.pick(this.#askers);
    const one = random.next();
    if (one < 0.2) this.#do('asks', [gate], () => asksByHttp(this.#life, gate, asker));
    else if (one < 0.35) this.#do('calls a tool', [gate], () => callsTool(this.#life, gate, asker));
    else if (one < 0.45) this.#do('comes back', [gate], () => comesBack(this.#life, gate, asker));
    else if (one < 0.84) this.#do('decides', this.#gates, () => decides(this.#life, this.#gates));
    else if (one < 0.88) this.#do('takes a receipt', [gate], () => takesReceipt(this.#life, gate));
    else this.#do('administers', [gate], () => administers(this.#life, gate));
  }

  #do(what: string, gates: readonly SimGate[], work: () => Promise<void>): void {
    const running: Running = { what, owners: gates.map(({ owner }) => owner), over: false };
    this.#running.add(running);
    const [gate] = gates;
    if (gate === undefined) return;
    void at(gate, () => during(running, work))
      .catch((error: unknown) => {
        // A gate that stopped meanwhile, or died, answers nothing of use.
        if (running.owners.every(({ alive }) => alive)) this.#unless(error, what);
      })
      .then(() => {
        running.over = true;
        this.#running.delete(running);
      });
  }

  /** What fails because its world does is no wrong; anything else is. */
  #unless(error: unknown, what: string): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (!text.includes('simulated')) this.#life.wrongs.push(`${what}: ${text}`);
  }

  /** Tells the model, and compares what was promised. */
  async #look(): Promise<void> {
    const { stage, given } = this.#life;
    for (const one of this.#running) if (one.owners.some(({ alive }) => !alive)) this.#running.delete(one);
    await follow(this.#life, this.#model);
    checkAcks(this.#life, this.#model);
    checkEffects(this.#life, this.#model);
    for (const { publisher } of this.#gates) {
      const one = publisher.given;
      const stored = one === null ? undefined : await this.#life.watcher.checkpoint(one.origin, one.size);
      if (one === null) continue;
      assert.ok(stored !== undefined, 'a checkpoint was given out that is not stored');
      given.set(`${one.origin} ${one.size}`, stored.root);
    }
    if (stage.waiting === 0) await this.#nobodyHangs();
  }

  async #nobodyHangs(): Promise<void> {
    let hangs = await checkWaits(this.#life);
    // A word from another gate takes its way through the database.
    for (let tries = 0; hangs !== null && this.#life.ground.kind === 'postgres' && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      hangs = await checkWaits(this.#life);
    }
    assert.equal(hangs, null);
  }

  /** Nothing fails any more: what is under way ends, what is due is told, and everything is published and shipped. */
  async #end(): Promise<number> {
    const { stage, ground, wall } = this.#life;
    stage.trouble = 0;
    if (this.#gates.length + this.#between.size === 0) this.#start();
    const isOver = async (): Promise<boolean> => {
      if (this.#running.size > 0 || this.#between.size > 0 || this.#gates.length === 0) return false;
      const tables = new Map(await ground.dump());
      await follow(this.#life, this.#model);
      const nowMs = clockOf(this.#life).nowMs();
      const nothingDue = (tables.get('notices') ?? []).every((row) => Number(row['due_at_ms']) > nowMs);
      const published = this.#gates.some(({ publisher }) => publisher.given?.size === this.#model.size);
      const shipped = new Set((this.#life.shipped.get('siem') ?? []).map(({ index }) => index));
      const open = [...this.#model.actions.values()].some(
        (told) =>
          // A change of the files waits for people for a week.
          (told.approval !== null &&
            told.agent !== 'gate' &&
            told.ended === null &&
            told.execution === null) ||
          (told.execution !== null && told.outcome === null),
      );
      return nothingDue && !open && published && shipped.size === this.#model.size;
    };
    let jumpedMs = Number.NEGATIVE_INFINITY;
    for (let steps = 0; ; steps += 1) {
      for (const one of this.#running) if (one.owners.some(({ alive }) => !alive)) this.#running.delete(one);
      if (steps % 200 === 0) {
        if (await isOver()) break;
        await this.#look();
        // Whatever has a deadline reaches it; in between the gates hear of one another for a while.
        if (stage.time.steadyMs - jumpedMs > minuteMs / 2) {
          wall.skewMs += 300 * minuteMs;
          jumpedMs = stage.time.steadyMs;
        }
        if (steps >= endStepsMax)
          assert.fail(
            `it does not come to its end: ${await leftOf(this.#life, this.#model, this.#gates)} ${this.#cannotOpen}`,
          );
      }
      if (this.#gates.length + this.#between.size === 0) this.#start();
      // No time passes while something is under way: else gates would be taken for gone.
      await (stage.waiting > 0 ? stage.pick(this.#many()) : this.#forward());
    }
    await this.#look();
    await checkInboxes(this.#life, this.#model);
    await checkNotices(this.#life, this.#model);
    await checkTree(this.#life, this.#model);
    checkShipped(this.#life, this.#model);
    const gone = await checkErased(this.#life, this.#model);
    for (const gate of this.#gates) {
      stage.kill(gate.owner);
      await outsideOf(() => gate.inner.close());
    }
    return gone;
  }
}
