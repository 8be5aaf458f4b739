/**
 * Figures in the dark theme: drawings are turned dark, pictures keep their own colours.
 *
 * Charts and diagrams are ink on white paper: with lightness turned over and hues kept they read the
 * same. What shows an image must not be turned, where lessons speak of bright and dark pixels. The
 * pixels say which it is: an image has many greys, or little paper.
 */
const SIZE = 200; // pixels of a side that are looked at, at most
const PAPER = 240; // the darkest channel of a white pixel
const NEUTRAL = 12; // the most that the channels of a grey differ
const LEAST_PAPER = 0.5;
const MOST_GREY = 0.13; // text and lines included

/** Mark each figure of notebooks as a drawing or a picture, when it is there. */
export function markFigures(): void {
  const mark = (event: Event) => {
    const image = event.target;
    if (image instanceof HTMLImageElement && image.closest('.jp-OutputArea-output')) {
      image.dataset.courseFigure = kindOf(image);
    }
  };
  document.addEventListener('load', mark, true); // it does not bubble
}

/** Mark the figures of a page that is not shown yet. */
export async function markFiguresIn(page: Document): Promise<void> {
  const marked = Array.from(page.images, async image => {
    const copy = new Image();
    copy.src = image.src;
    await copy.decode().then(
      () => (image.dataset.courseFigure = kindOf(copy)),
      () => undefined // not an image: the page shows its text alternative
    );
  });
  await Promise.all(marked);
}

/** Return what an image is that was loaded. */
function kindOf(image: HTMLImageElement): 'drawing' | 'picture' {
  const scale = Math.min(1, SIZE / Math.max(image.naturalWidth, image.naturalHeight, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) {
    return 'picture';
  }
  context.imageSmoothingEnabled = false; // means of pixels would be greys
  context.fillStyle = '#fff'; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  try {
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return isDrawing(context.getImageData(0, 0, canvas.width, canvas.height).data)
      ? 'drawing'
      : 'picture';
  } catch {
    return 'picture'; // from another address: its pixels may not be read
  }
}

function isDrawing(pixels: Uint8ClampedArray): boolean {
  let paper = 0;
  let grey = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const channels = [pixels[at], pixels[at + 1], pixels[at + 2]];
    const darkest = Math.min(...channels);
    if (darkest >= PAPER) {
      paper += 1;
    } else if (Math.max(...channels) - darkest < NEUTRAL) {
      grey += 1;
    }
  }
  const all = pixels.length / 4;
  return paper >= LEAST_PAPER * all && grey <= MOST_GREY * all;
}
