/* facet-settings.h - what the person chose (GSettings)
 *
 * Keys and their ranges: data/io.github.facet_desktop.Facet.gschema.xml. Read
 * and bind them directly; here is only what needs more than one key.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gio/gio.h>

#include "facet.h"

G_BEGIN_DECLS

/* Order as in the schema. */
typedef enum {
  FACET_PRECISION_SMALLEST, /* 4-bit files, KV cache of 8 bits */
  FACET_PRECISION_BALANCED, /* 4- to 5-bit files, KV cache of 16 bits */
  FACET_PRECISION_BEST,     /* 8- to 16-bit files, KV cache of 16 bits */
} FacetPrecision;

/* Returns: (transfer none): the program's settings. The schema is the
 * one in the folder data/ beside the program (a build tree), or the installed
 * one. Ends the program with a message if there is none. */
GSettings        *facet_settings_get_default   (void);

FacetKvType       facet_settings_get_kv_type   (GSettings *settings);
FacetBackendKind  facet_settings_get_backend   (GSettings *settings);

/* @recommended: the model's own, used if the person wants that. */
FacetSampling     facet_settings_get_sampling  (GSettings *settings, const FacetSampling *recommended);

/* Applies "color-scheme" now and whenever it changes. After adw_init(). */
void              facet_settings_follow_color_scheme (GSettings *settings);

/* ---- language ----------------------------------------------------------- */

typedef struct {
  const char *code; /* as in po/LINGUAS */
  const char *name; /* in the language itself; not translated */
} FacetLanguage;

/* The languages that Facet speaks, English first; ends with a NULL code. */
extern const FacetLanguage facet_languages[];

/* Makes the "language" key the language of this process, whatever the
 * system's locale. Call first in main(), before setlocale(). */
void              facet_settings_apply_language (GSettings *settings);

/* Whether the messages of this process run from right to left; for
 * gtk_widget_set_default_direction() after gtk_init(). */
gboolean          facet_settings_is_rtl         (void);

G_END_DECLS
