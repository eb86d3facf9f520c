/* image-probe.h - what a picture file says of itself, before decoding
 *
 * Walks the container (JPEG markers, PNG chunks, GIF blocks, headers) over
 * bytes in memory: type by content, size, completeness, orientation. The
 * decoder is lenient where people should be told (cut files, wrong
 * checksums), so these are refused here. Allocates nothing but the error.
 *
 * Sources: ITU-T T.81 annex B, T.872 (Adobe APP14), PNG third edition, GIF89a,
 * BITMAPINFOHEADER and its successors, Truevision TGA 2.0, Adobe Photoshop
 * file formats (2019), the man pages of Netpbm.
 */
#pragma once

#include "facet.h"

/* More than the largest phone sensor; refused before any memory is taken. */
#define FACET_IMAGE_MAX_PIXELS (256 * 1000 * 1000)

typedef enum {
  FACET_IMAGE_JPEG,
  FACET_IMAGE_PNG,
  FACET_IMAGE_GIF,
  FACET_IMAGE_BMP,
  FACET_IMAGE_TGA,
  FACET_IMAGE_PSD,
  FACET_IMAGE_PNM,
} FacetImageType;

typedef struct {
  FacetImageType type;
  int            width, height;  /* as stored */
  int            orientation;    /* 1 .. 8 */
  gboolean       alpha;          /* may have transparent pixels */
  FacetImageNote notes;
  gsize          decode_bytes;   /* the most that decoding may take */
} FacetImageProbe;

/* UNSUPPORTED: a picture of a type or kind that is known but not read here
 * (named in the message); MEDIA: no picture, or a damaged one; NO_MEMORY: too
 * many pixels. @label names the file in messages. */
gboolean facet_image_probe (const guint8    *data,
                            gsize            size,
                            const char      *label,
                            FacetImageProbe *probe,
                            GError         **error);

/* The per-type walks, called by facet_image_probe(). */
gboolean facet_image_probe_jpeg (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error);
gboolean facet_image_is_tga     (const guint8 *data, gsize size);
gboolean facet_image_probe_tga  (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error);
gboolean facet_image_probe_psd  (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error);
gboolean facet_image_probe_pnm  (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error);
gboolean facet_image_probe_png  (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error);
