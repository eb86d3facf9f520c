#define G_LOG_DOMAIN "facet"

#include "facet-announce.h"

/* Kept by each window that has announced something. */
typedef struct {
  GWeakRef place;   /* what was described */
  char    *waiting; /* said to a window without a focus, which is about to open */
} Announcement;

static void
announcement_free (gpointer data)
{
  Announcement *self = data;

  g_weak_ref_clear (&self->place);
  g_free (self->waiting);
  g_free (self);
}

static void
describe (GtkWidget *place, const char *text)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (place), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}

/* What GTK describes it with itself: its tooltip. */
static void
undescribe (Announcement *self)
{
  g_autoptr (GtkWidget) place = g_weak_ref_get (&self->place);
  const char *tooltip = place != NULL ? gtk_widget_get_tooltip_text (place) : NULL;

  if (place != NULL)
    describe (place, tooltip != NULL ? tooltip : "");
  g_weak_ref_set (&self->place, NULL);
}

static void
say (Announcement *self, GtkWidget *focus, const char *sentence)
{
  g_weak_ref_set (&self->place, focus);
  describe (focus, sentence);
}

static void
focus_cb (GtkWindow *window, GParamSpec *pspec, Announcement *self)
{
  GtkWidget *focus = gtk_window_get_focus (window);
  g_autoptr (GtkWidget) place = g_weak_ref_get (&self->place);
  g_autofree char *waiting = NULL;

  if (place != focus)
    undescribe (self);
  if (focus == NULL || self->waiting == NULL)
    return;
  waiting = g_steal_pointer (&self->waiting);
  say (self, focus, waiting);
}

static Announcement *
announcement_of (GtkWindow *window)
{
  Announcement *self = g_object_get_data (G_OBJECT (window), "facet-announcement");

  if (self == NULL) {
    self = g_new0 (Announcement, 1);
    g_weak_ref_init (&self->place, NULL);
    g_object_set_data_full (G_OBJECT (window), "facet-announcement", self, announcement_free);
    g_signal_connect (window, "notify::focus-widget", G_CALLBACK (focus_cb), self);
  }
  return self;
}

void
facet_announce (GtkWindow *window, const char *sentence)
{
  Announcement *self = announcement_of (window);
  GtkWidget *focus = gtk_window_get_focus (window);

  undescribe (self);
  g_clear_pointer (&self->waiting, g_free);
  if (*sentence == '\0')
    return;
  if (focus != NULL)
    say (self, focus, sentence);
  else
    self->waiting = g_strdup (sentence);
}
