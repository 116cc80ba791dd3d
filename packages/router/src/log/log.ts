import { BLOCK_HEADER_BYTES, encodeSegmentHeader, SEGMENT_HEADER_BYTES, sealBlock } from "./block.ts";
import type { BlockBuilder } from "./block-builder.ts";
import { BlockMemory } from "./block-memory.ts";
import type { DiskFile } from "../disk/disk.ts";
import { type MessageRecord, readRecords, type RecordHandler } from "./record.ts";
import { type Damage, recover } from "./recover.ts";
import { mayBeNoted, note, SETTLED_SYNC_MS } from "./note.ts";
import type { LogConfig, LogDeps, Place } from "./log-deps.ts";
import { isFull, Reserve } from "./reserve.ts";
import { Shortage } from "./shortage.ts";
import { SegmentFiles } from "./segment-files.ts";
import { scanSegment } from "./scan.ts";
import { Segments } from "./segments.ts";

const READ_AHEAD_BYTES = 256 * 1_024;
const RELOCATION_BACKLOG_BYTES = 4 * 2 ** 20;
const ignore = (): void => {};
const NOTHING_ELSE = { settled: ignore, failed: ignore, control: ignore };

/**
 * The append-only log of a router. Records are gathered into a block while the previous one is written and synced. A
 * write that fails is tried again, in the same place and with the same bytes: nothing that was appended is left out.
 */
export class Log {
  readonly #config: Required<LogConfig>;
  readonly #deps: LogDeps;
  readonly #files: SegmentFiles;
  readonly #segments = new Segments();
  readonly #memory: BlockMemory;
  readonly #stopping = new AbortController();
  readonly #shortage: Shortage;
  #open: BlockBuilder | null = null;
  #writing: BlockBuilder | null = null;
  #scheduled = false;
  #isWriting = false;
  #running: Promise<void> = Promise.resolve();
  #housekeeping: Promise<void> = Promise.resolve();
  readonly #toRemove: number[] = [];
  #batch = 0;
  #findings: { readonly damages: readonly Damage[]; readonly cutBytes: number } = { damages: [], cutBytes: 0 };

  constructor(config: LogConfig, deps: LogDeps) {
    this.#config = { segmentBytes: 64 * 2 ** 20, cacheBytes: 8 * 2 ** 20, reserveBytes: 0, retryMs: 1_000, ...config };
    this.#deps = deps;
    this.#files = new SegmentFiles(deps.disk);
    const reserve = new Reserve(deps.disk, this.#config.reserveBytes);
    this.#shortage = new Shortage(reserve, { ...deps, retryMs: this.#config.retryMs, signal: this.#stopping.signal });
    this.#memory = new BlockMemory(this.#config.cacheBytes);
  }

  /** Reads what the folder has, before anything is appended; every message counts as needed until it is released. */
  async restore(handler: RecordHandler): Promise<void> {
    const found = await recover(this.#deps.disk, this.#files, {
      message: (message) => {
        this.#segments.retain(message.segment, message.length);
        handler.message(message);
      },
      settled: (address, subscription, range) => handler.settled(address, subscription, range),
      failed: (...args) => handler.failed(...args),
      control: (value) => handler.control(value),
    });
    this.#segments.restore(found.segments);
    this.#findings = found;
    await this.#shortage.begin();
  }

  /** What could not be read when the log was opened, and how much was cut off its end. */
  get findings(): { readonly damages: readonly Damage[]; readonly cutBytes: number } {
    return this.#findings;
  }

  /** What was appended and is not on disk yet. */
  get backlogBytes(): number {
    return (this.#open?.length ?? 0) + (this.#writing?.length ?? 0);
  }

  /** What the segments take, and what of it are messages that are needed. */
  get usage(): { readonly bytes: number; readonly neededBytes: number; readonly segments: number } {
    return this.#segments.usage;
  }

  /** Says which block is being filled: what is appended under one number becomes durable together. */
  get batch(): number {
    this.#block();
    return this.#batch;
  }

  /**
   * Appends a message. It is needed until it is released.
   * @param isMoved whether the log has it already, and may have been told that it is settled.
   */
  message(record: MessageRecord, isMoved = false): Place {
    const block = this.#block();
    if (isMoved) block.endRun();
    const { offset, length } = block.message(record);
    this.#hurry(block);
    this.#segments.retain(block.segment, length);
    return { segment: block.segment, offset, length };
  }

  /** Appends that a message was settled, which had been safe before this call. */
  settled(address: number, subscription: number, sequence: number): void {
    this.#block().settled(address, subscription, sequence);
    this.#schedule();
  }

  /** Appends a record made by `encodeSettled` and its like. */
  record(bytes: Buffer): void {
    const block = this.#block();
    block.record(bytes);
    this.#hurry(block);
  }

  /** Calls back when everything that was appended before is on disk. */
  whenDurable(callback: () => void): void {
    const block = this.#open ?? this.#writing;
    if (block === null) return queueMicrotask(callback);
    block.callbacks.push(callback);
    this.#hurry(block);
  }

  /** Says that a message is not needed any more, once the record that says why is appended. */
  release(segment: number, length: number): void {
    this.#segments.release(segment, length);
  }

  /** The bytes of a message where they are in memory, good until the next block is begun; null where they have to be loaded. */
  peek(segment: number, offset: number, length: number): Buffer | null {
    return this.#memory.find(segment, offset, length);
  }

  /** Reads a message from disk, and what lies behind it ahead. */
  async load(segment: number, offset: number, length: number): Promise<Buffer> {
    const unwritten = this.#memory.unwritten(segment, offset, length);
    if (unwritten !== null) return Buffer.from(unwritten);
    const end = this.#segments.durableEnd(segment);
    const file = await this.#files.get(segment);
    const bytes = await file.read(offset, Math.max(length, Math.min(READ_AHEAD_BYTES, end - offset)));
    if (bytes.length < length)
      throw new Error(`Cannot read ${length} bytes at ${offset} of segment ${segment}: it ends`);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#memory.readAhead(segment, offset, buffer);
    return buffer.subarray(0, length);
  }

  /** Writes what was appended, and closes the files. */
  async close(): Promise<void> {
    this.#stopping.abort();
    if (this.#open !== null) this.#open.isUrgent = true;
    this.#pump();
    await this.#running;
    await Promise.all([this.#housekeeping, this.#shortage.ended]);
    await this.#files.closeAll();
  }

  #block(): BlockBuilder {
    if (this.#open !== null) return this.#open;
    const { place, isNew } = this.#segments.next({
      segmentBytes: this.#config.segmentBytes,
      random32: this.#deps.random32,
      isShort: this.#shortage.isShort,
    });
    const block = this.#memory.begin(place);
    this.#open = block;
    this.#batch++;
    if (isNew) {
      for (const bytes of this.#deps.snapshot()) block.record(bytes);
    }
    if (isNew || this.#shortage.isShort) this.#considerRelocation();
    this.#schedule();
    return block;
  }

  #hurry(block: BlockBuilder): void {
    if (block.isUrgent) return;
    block.isUrgent = true;
    this.#schedule();
  }

  /** What comes in one turn of the event loop goes in one write. */
  #schedule(): void {
    if (this.#scheduled || this.#isWriting) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isWriting || this.#open === null) return;
    this.#running = this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let block = this.#open; block !== null; block = this.#open) {
      if (!this.#shortage.isShort && mayBeNoted(block)) {
        if (!(await note(block, this.#files))) continue;
        void this.#deps.sleep(SETTLED_SYNC_MS, this.#stopping.signal).then(() => this.#hurry(block));
        break;
      }
      this.#open = null;
      this.#writing = block;
      const { bytes, segment, position } = block;
      sealBlock(bytes, block);
      this.#segments.sealed(segment, position + bytes.length);
      this.#memory.sealed(block);
      const dead = this.#segments.dead();
      if (!(await this.#untilWritten(block))) return;
      this.#segments.durable(segment, position + bytes.length);
      // What comes during the callbacks goes into the next block.
      this.#writing = null;
      this.#memory.written(block);
      for (const callback of block.callbacks) callback();
      if (dead.length > 0) this.#remove(dead);
    }
    this.#isWriting = false;
    // What became urgent after it was noted, a moment ago.
    if (this.#open?.isUrgent === true) this.#schedule();
  }

  /** @returns false when the log was closed before the disk took it. */
  async #untilWritten({ bytes, segment, salt, position }: BlockBuilder): Promise<boolean> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#shortage.alone(async () => {
          const isFirst = position === SEGMENT_HEADER_BYTES;
          const file = isFirst ? await this.#begin(segment, salt) : await this.#files.get(segment);
          await file.write(bytes, position);
          await file.sync();
          if (isFirst) await this.#deps.disk.syncFolder();
        });
        if (failures > 0 && !this.#shortage.isShort) this.#deps.onTrouble(null);
        return true;
      } catch (error) {
        if (isFull(error) && (await this.#shortage.give(error))) continue;
        this.#deps.onTrouble(error);
        if (this.#stopping.signal.aborted && failures > 0) return false;
        await this.#deps.sleep(this.#config.retryMs, this.#stopping.signal);
      }
    }
  }

  async #begin(segment: number, salt: number): Promise<DiskFile> {
    const file = await this.#files.create(segment);
    await file.write(encodeSegmentHeader(segment, salt), 0);
    return file;
  }

  /** Oldest first, each durably before the next: what is left is the end of the log, and nothing settled comes back. */
  #remove(ids: readonly number[]): void {
    this.#segments.forget(ids);
    this.#toRemove.push(...ids);
    this.#housekeeping = this.#housekeeping.then(async () => {
      try {
        for (let id = this.#toRemove[0]; id !== undefined; id = this.#toRemove[0]) {
          this.#memory.forget(id);
          await this.#files.remove(id);
          await this.#deps.disk.syncFolder();
          this.#toRemove.shift();
        }
      } catch (error) {
        // It stays the first to be removed, when the next one is due.
        this.#deps.onHousekeepingFailure(error);
      }
    });
  }

  /** Appends old messages anew where a few of them, which nobody takes, would keep everything after them on disk. */
  #considerRelocation(): void {
    const { segmentBytes, reserveBytes } = this.#config;
    // Relocation takes room on disk before it frees any.
    const segment = this.#segments.toEmpty(segmentBytes, this.#shortage.isShort ? reserveBytes / 8 : null);
    if (segment === null) return;
    this.#housekeeping = this.#housekeeping.then(() => this.#relocate(segment).catch(this.#deps.onHousekeepingFailure));
  }

  async #relocate({ id, salt }: { readonly id: number; readonly salt: number }): Promise<void> {
    if (!this.#segments.has(id)) return;
    const file = await this.#files.get(id);
    for await (const found of scanSegment(file, { segment: id, salt })) {
      if (this.#stopping.signal.aborted) return;
      if (found.found !== "block") continue;
      readRecords(
        found.body,
        { segment: id, offset: found.position + BLOCK_HEADER_BYTES },
        {
          message: (message) => this.#deps.relocate(message.record(), message),
          ...NOTHING_ELSE,
        },
      );
      while (this.backlogBytes > RELOCATION_BACKLOG_BYTES && !this.#stopping.signal.aborted) {
        await new Promise<void>((resolve) => this.whenDurable(resolve));
      }
    }
  }
}
