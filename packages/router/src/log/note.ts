import { SEGMENT_HEADER_BYTES, sealBlock } from "./block.ts";
import type { BlockBuilder } from "./block-builder.ts";
import type { SegmentFiles } from "./segment-files.ts";

/** A block that is larger, or was noted so often, is written for good. */
const NOTED_BYTES_MAX = 4_096;
const NOTES_MAX = 4;

/** What is settled and awaited by nobody may wait so long for the sync of a message, for each time that it is written before. */
export const SETTLED_SYNC_MS = 10;

/** Whether a block has only what is settled, and nobody waits for its sync; the first of a segment makes its file. */
export const mayBeNoted = ({ isUrgent, position, length, notes }: BlockBuilder): boolean =>
  !isUrgent && position !== SEGMENT_HEADER_BYTES && length <= NOTED_BYTES_MAX && notes < NOTES_MAX;

/**
 * Writes what a block has so far, without a sync: it outlives the process, and the block stays open, to be written again in the
 * same place with what comes next. So a message that is answered costs one sync, and not one more for the settlement of the
 * message before. A loss of power cuts it off, as any block that was not synced.
 * @returns whether it has nothing that is not written.
 */
export async function note(block: BlockBuilder, files: SegmentFiles): Promise<boolean> {
  // What is settled meanwhile may change the bytes.
  const bytes = Buffer.from(block.bytes);
  sealBlock(bytes, block);
  block.notes++;
  const { changes } = block;
  try {
    const file = await files.get(block.segment);
    await file.write(bytes, block.position);
  } catch {
    // Written for good, it fails again, and is told, or does not.
    block.isUrgent = true;
  }
  return !block.isUrgent && block.changes === changes;
}
