/* facet-preferences-private.h - the parts of the preferences window */
#pragma once

#include "facet-preferences.h"
#include "facet-recorder.h"

G_BEGIN_DECLS

/* ---- a number with a spin button (facet-number-row.c) ---- */

typedef struct {
  const char *key;
  const char *title;    /* N_() */
  const char *subtitle; /* N_() or NULL */
  double      lower;
  double      upper;
  double      step;
  guint       digits;
} FacetNumberRow;

GtkWidget *facet_number_row_new (GSettings *settings, const FacetNumberRow *what);

/* ---- the list of instructions (facet-prompt-rows.c) ---- */

/* Fills @group with a row per preset and follows the settings while @group
 * lives. */
void       facet_prompt_rows_fill (AdwPreferencesGroup *group, GSettings *settings);

/* Opens the dialog for new instructions. */
void       facet_prompt_rows_add  (AdwPreferencesGroup *group, GSettings *settings);

/* ---- the assistant's modes (facet-mode-rows.c) ---- */

/* Fills @group with a row per mode whose template can be edited. */
void       facet_mode_rows_fill (AdwPreferencesGroup *group, GSettings *settings);

/* ---- the file with the person's own tools (facet-tools-row.c) ---- */

/* Shows and chooses it; says what is wrong with it. */
GtkWidget *facet_tools_row_new (GSettings *settings);

/* ---- choices of devices (facet-device-row.c) ---- */

/* The devices are looked for in a thread; a chosen one that is not there stays
 * chosen. The graphics device counts only where the processor is not chosen. */
GtkWidget *facet_microphone_row_new (GSettings *settings);
GtkWidget *facet_speaker_row_new    (GSettings *settings);
GtkWidget *facet_graphics_row_new   (GSettings *settings);

/* ---- what was opened (facet-activity-rows.c) ---- */

/* Fills @group with the network addresses or the files of the log, follows it
 * while @group lives, and says so where there are none. */
void       facet_activity_rows_fill (AdwPreferencesGroup *group, gboolean network);

G_END_DECLS
