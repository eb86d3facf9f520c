#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <libportal-gtk4/portal-gtk4.h>

#include "facet-composer-private.h"

/* The desktop's portal takes the picture: it shows its own dialog, and Facet
 * never sees more of the screen than the person gives it. */

static void
set_offered (FacetComposer *self, gboolean offered)
{
  const char *why_not = offered ? NULL : _("This desktop offers no screenshots to applications");

  gtk_widget_set_sensitive (self->screenshot, offered);
  gtk_widget_set_tooltip_text (self->screenshot, offered ? _("Take a Screenshot") : why_not);
}

static void
taken_cb (GObject *portal, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = xdp_portal_take_screenshot_finish (XDP_PORTAL (portal), result, &error);
  g_autoptr (GFile) file = uri != NULL ? g_file_new_for_uri (uri) : NULL;

  if (self->settings == NULL) /* closed meanwhile */
    return;
  gtk_widget_set_sensitive (self->screenshot, TRUE);
  if (file != NULL)
    facet_composer_add_file (self, file);
  else
    g_message ("no screenshot: %s", error->message);
  facet_composer_focus (self);
}

static void
take_cb (FacetComposer *self)
{
  g_autoptr (XdpPortal) portal = xdp_portal_new ();
  XdpParent *parent = xdp_parent_new_gtk (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))));

  gtk_widget_set_sensitive (self->screenshot, FALSE);
  xdp_portal_take_screenshot (portal, parent, XDP_SCREENSHOT_FLAG_INTERACTIVE, NULL, taken_cb, g_object_ref (self));
  xdp_parent_free (parent);
}

static void
asked_cb (GObject *bus, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) version = g_dbus_connection_call_finish (G_DBUS_CONNECTION (bus), result, &error);

  if (error != NULL)
    g_debug ("no screenshots: %s", error->message);
  if (self->settings != NULL)
    set_offered (self, version != NULL);
}

static void
bus_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  g_autoptr (GDBusConnection) bus = g_bus_get_finish (result, NULL);

  if (bus == NULL || self->settings == NULL)
    return;
  g_dbus_connection_call (bus, "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop",
                          "org.freedesktop.DBus.Properties", "Get",
                          g_variant_new ("(ss)", "org.freedesktop.portal.Screenshot", "version"), G_VARIANT_TYPE ("(v)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, asked_cb, g_object_ref (self));
}

void
_facet_composer_setup_screenshot (FacetComposer *self)
{
  set_offered (self, FALSE);
  g_signal_connect_swapped (self->screenshot, "clicked", G_CALLBACK (take_cb), self);
  g_bus_get (G_BUS_TYPE_SESSION, NULL, bus_cb, g_object_ref (self));
}
