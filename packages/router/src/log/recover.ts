import { BLOCK_HEADER_BYTES, decodeSegmentHeader, SEGMENT_FORM, SEGMENT_HEADER_BYTES, segmentForm } from "./block.ts";
import type { Disk } from "../disk/disk.ts";
import { readRecords, type RecordHandler, UnknownRecord } from "./record.ts";
import { ScanBuffer, scanSegment } from "./scan.ts";
import { segmentName, type SegmentFiles, segmentOfName } from "./segment-files.ts";

/** A segment as it was found. */
export interface FoundSegment {
  readonly id: number;
  readonly salt: number;
  /** Where the next block goes. */
  readonly end: number;
}

/** Bytes in the middle of the log that cannot be read; they were put aside. */
export interface Damage {
  readonly segment: number;
  readonly position: number;
  readonly bytes: number;
  /** The file that has them now. */
  readonly file: string;
}

/** What recovery has found. */
export interface Recovered {
  readonly segments: readonly FoundSegment[];
  readonly damages: readonly Damage[];
  /** Bytes at the end that a write had not finished, and nobody was told to be safe. */
  readonly cutBytes: number;
}

/**
 * Reads the log from its begin, cuts what was written in part, and puts aside what is damaged.
 * @throws UnknownRecord for what another version has written: to go on without it would lose messages.
 */
export async function recover(disk: Disk, files: SegmentFiles, handler: RecordHandler): Promise<Recovered> {
  try {
    return await readAll(disk, files, handler);
  } catch (error) {
    await files.closeAll();
    throw error;
  }
}

async function readAll(disk: Disk, files: SegmentFiles, handler: RecordHandler): Promise<Recovered> {
  const names = await disk.list();
  const ids = names.flatMap((name) => segmentOfName(name) ?? []).sort((a, b) => a - b);
  const segments: FoundSegment[] = [];
  const damages: Damage[] = [];
  let cutBytes = 0;
  const scratch = new ScanBuffer();
  // Before anything is cut or put aside: what is refused is left as it is.
  const salts = new Map<number, number | null>();
  for (const id of ids) {
    const header = await (await files.get(id)).read(0, SEGMENT_HEADER_BYTES);
    requireKnownForm(id, header);
    salts.set(id, decodeSegmentHeader(header, id));
  }
  for (const [id, salt] of salts) {
    const isLast = id === ids.at(-1);
    const file = await files.get(id);
    const size = await file.size();
    if (salt === null) {
      // The last one may have been begun and not finished; nothing in it was safe yet.
      if (!isLast || size > SEGMENT_HEADER_BYTES)
        damages.push(await putAside({ segment: id, position: 0, bytes: size }));
      await files.remove(id);
      continue;
    }
    let end = SEGMENT_HEADER_BYTES;
    for await (const found of scanSegment(file, { segment: id, salt }, scratch)) {
      if (found.found === "block") {
        const { position, body } = found;
        const offset = position + BLOCK_HEADER_BYTES;
        end = offset + body.length;
        try {
          readRecords(body, { segment: id, offset }, handler);
        } catch (error) {
          if (!(error instanceof UnknownRecord)) throw error;
          throw new UnknownRecord(`${segmentName(id)}: in the block at byte ${position}, ${error.message}`);
        }
      } else if (found.isTail && isLast) {
        cutBytes = found.length;
        await file.truncate(found.position);
      } else {
        damages.push(await putAside({ segment: id, position: found.position, bytes: found.length }));
        end = Math.max(end, found.position + found.length);
      }
    }
    segments.push({ id, salt, end });
  }
  await makeSafe(segments.at(-1));
  return { segments, damages, cutBytes };

  /**
   * A process that was killed may have written its last block, and made its last file, and synced neither. What was read
   * of them is answered for from here on, and must not be lost with the next loss of power.
   */
  async function makeSafe(last: FoundSegment | undefined): Promise<void> {
    if (last !== undefined) await (await files.get(last.id)).sync();
    await disk.syncFolder();
  }

  /** Once: what is damaged within a segment stays in its place too, and is found again by the next start. */
  async function putAside(damage: Omit<Damage, "file">): Promise<Damage> {
    const name = `damaged-${segmentName(damage.segment).slice(0, 10)}-${damage.position}`;
    if (!names.includes(name)) {
      const from = await files.get(damage.segment);
      const to = await disk.create(name);
      for (let done = 0; done < damage.bytes;) {
        const bytes = await from.read(damage.position + done, Math.min(2 ** 20, damage.bytes - done));
        if (bytes.length === 0) break;
        await to.write(bytes, done);
        done += bytes.length;
      }
      await to.sync();
      await to.close();
      await disk.syncFolder();
    }
    return { ...damage, file: name };
  }
}

/** @throws UnknownRecord for a segment that a newer router has made. */
function requireKnownForm(id: number, header: Uint8Array): void {
  const form = segmentForm(header);
  if (form === null || form === SEGMENT_FORM) return;
  throw new UnknownRecord(`${segmentName(id)} is of form ${form}, and this version knows form ${SEGMENT_FORM}`);
}
