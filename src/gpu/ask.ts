/** Which adapter to take: the best there is, only a real GPU, or only a software one. */
export type AdapterChoice = 'any' | 'hardware' | 'software';

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  readonly name: string;
  /** True for SwiftShader, lavapipe and their like, which compute on the CPU. */
  readonly software: boolean;
}

/** Whether an adapter computes on the CPU, by what it says of itself. */
export const isSoftware = ({ isFallbackAdapter, device, description }: GPUAdapterInfo): boolean =>
  isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${device} ${description}`);

/** What a GPU has of a choice. */
export async function ask(gpu: GPU, choice: AdapterChoice): Promise<FoundAdapter | undefined> {
  const options =
    choice === 'software' ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' as const };
  const adapter = await gpu.requestAdapter(options);
  if (!adapter) return undefined;
  const { vendor, architecture, device, description } = adapter.info;
  const software = isSoftware(adapter.info);
  if (choice === 'hardware' && software) return undefined;
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return { adapter, name, software };
}
