#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-composer-private.h"

/* Recording lies beside writing: a note may be spoken and typed at once. */

static void
set_open (FacetComposer *self, gboolean open)
{
  gtk_widget_set_visible (GTK_WIDGET (self->recorder_bin), open);
  _facet_composer_changed (self);
}

static void
recorded_cb (FacetComposer *self, const char *path)
{
  _facet_composer_add (self, facet_attachment_new_for_recording (path));
}

static void
closed_cb (FacetComposer *self)
{
  set_open (self, FALSE);
  facet_composer_focus (self);
}

void
facet_composer_record (FacetComposer *self)
{
  if (facet_recorder_bar_is_recording (self->recorder)) {
    facet_recorder_bar_keep (self->recorder);
    return;
  }
  if (!self->hears)
    return;
  set_open (self, TRUE);
  facet_recorder_bar_start (self->recorder);
}

gboolean
facet_composer_is_recording (FacetComposer *self)
{
  return facet_recorder_bar_is_recording (self->recorder);
}

guint
facet_composer_recover (FacetComposer *self, const char *recordings)
{
  g_auto (GStrv) paths = facet_recorder_bar_find_left (recordings);
  guint n = g_strv_length (paths);

  for (guint i = 0; i < n; i++)
    _facet_composer_add (self, facet_attachment_new_for_recording (paths[i]));
  return n;
}

void
_facet_composer_update_recorder (FacetComposer *self)
{
  const char *why_not = NULL;

  if (!self->ready)
    why_not = _("Choose a model first");
  else if (!self->hears)
    why_not = _("This model cannot hear sound: choose one that can to record voice notes");
  gtk_widget_set_sensitive (self->record, why_not == NULL && !facet_recorder_bar_is_recording (self->recorder));
  gtk_widget_set_tooltip_text (self->record, why_not != NULL ? why_not : _("Record a Voice Note"));
}

void
_facet_composer_setup_recorder (FacetComposer *self)
{
  adw_bin_set_child (self->recorder_bin, GTK_WIDGET (self->recorder));
  g_signal_connect_swapped (self->record, "clicked", G_CALLBACK (facet_composer_record), self);
  g_signal_connect_object (self->recorder, "recorded", G_CALLBACK (recorded_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recorder, "closed", G_CALLBACK (closed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recorder, "notify::recording", G_CALLBACK (_facet_composer_changed), self,
                           G_CONNECT_SWAPPED);
}
