/* facet-composer-private.h - the fields that the parts of the composer share */
#pragma once

#include "facet-composer.h"

#include "sound/facet-recorder-bar.h"

G_BEGIN_DECLS

struct _FacetComposer {
  AdwBin parent_instance;

  GtkWidget     *banner;
  GtkWidget     *cancel_edit;
  GtkWidget     *chips_pane;
  GtkWidget     *chips;
  GtkTextView   *view;
  GtkWidget     *placeholder;
  GtkWidget     *bar;         /* the buttons and the meter */
  GtkWidget     *attach;
  GtkWidget     *screenshot;
  GtkWidget     *record;
  AdwBin        *recorder_bin;
  GtkMenuButton *mode_button;
  AdwBin        *options_bin;
  GtkMenuButton *choices_button;
  GtkLabel      *meter;
  GtkLabel      *brief_meter; /* shown where there is little room */
  GtkLabel      *notice;      /* what no longer fits */
  GtkWidget     *stop;
  GtkWidget     *send;

  GSettings            *settings;
  GtkWidget            *options;  /* of the mode */
  GtkWidget            *thinking; /* GtkSwitch, as tools */
  GtkWidget            *tools;
  GtkWidget            *thinking_row;
  GtkWidget            *allowed_row;
  FacetRecorderBar     *recorder;
  GListStore           *attachments;
  GtkFileChooserNative *chooser;
  const FacetMode      *mode;
  gboolean              running;
  gboolean              ready;
  gboolean              sees;
  gboolean              hears;
  gboolean              thinks;
  gboolean              judges;
  gboolean              showing_choices;
};

/* facet-composer.c: the next message would be different now. */
void _facet_composer_changed           (FacetComposer *self);

/* facet-composer-attachments.c: by button, drop and paste. */
void _facet_composer_setup_attachments (FacetComposer *self);
void _facet_composer_add               (FacetComposer *self, FacetAttachment *attachment);

/* facet-composer-recorder.c */
void _facet_composer_setup_recorder    (FacetComposer *self);
void _facet_composer_update_recorder   (FacetComposer *self);

/* facet-composer-screenshot.c */
void _facet_composer_setup_screenshot  (FacetComposer *self);

/* facet-composer-modes.c */
void _facet_composer_setup_modes       (FacetComposer *self);
void _facet_composer_build_modes       (FacetComposer *self);
/* Why pictures cannot be checked yet, with @text as a policy; NULL if they can. */
const char *_facet_composer_object_to_check (FacetComposer *self, const char *text);

/* facet-composer-choices.c */
void _facet_composer_setup_choices     (FacetComposer *self);

G_END_DECLS
