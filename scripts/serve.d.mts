export function serveFiles(
  port?: number,
  folders?: string[],
  headers?: Record<string, string>,
): Promise<{ url: string; close: () => void }>;
